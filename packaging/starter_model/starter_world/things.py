"""Things that stand in a landscape; each is drawn from the middle of its foot upwards."""

from collections.abc import Callable

import numpy as np

from starter_world.canvas import Canvas, darker, lighter, shade
from starter_world.distances import box, capsule, circle, ellipse, polygon, union
from starter_world.vocabulary import Rgb

_WOOD = shade(112, 72, 44)
_LAMP = shade(255, 232, 140)


def _house(on: Canvas, cx: float, foot: float, size: float, colour: Rgb) -> None:
    walls = box(on.x, on.y, (cx, foot - 0.25 * size), (0.34 * size, 0.26 * size))
    on.fill(walls, lighter(colour, 0.1), darker(colour, 0.08))
    eaves = foot - 0.48 * size
    roof = [(cx - 0.46 * size, eaves), (cx + 0.46 * size, eaves), (cx, foot - 0.9 * size)]
    on.fill(polygon(on.x, on.y, roof), shade(120, 70, 60), shade(92, 54, 50))
    door = box(on.x, on.y, (cx - 0.14 * size, foot - 0.13 * size), (0.08 * size, 0.14 * size))
    on.fill(door, shade(86, 54, 42))
    pane = box(on.x, on.y, (cx + 0.14 * size, foot - 0.28 * size), (0.09 * size, 0.09 * size))
    on.fill(pane, _LAMP)


def _tree(on: Canvas, cx: float, foot: float, size: float, colour: Rgb) -> None:
    trunk = box(on.x, on.y, (cx, foot - 0.2 * size), (0.07 * size, 0.22 * size))
    on.fill(trunk, _WOOD, darker(_WOOD, 0.2))
    crown = union(
        circle(on.x, on.y, (cx, foot - 0.74 * size), 0.27 * size),
        circle(on.x, on.y, (cx - 0.2 * size, foot - 0.55 * size), 0.22 * size),
        circle(on.x, on.y, (cx + 0.2 * size, foot - 0.55 * size), 0.22 * size),
    )
    on.fill(crown, darker(colour, 0.1), darker(colour, 0.4))


def _pine_tree(on: Canvas, cx: float, foot: float, size: float, colour: Rgb) -> None:
    trunk = box(on.x, on.y, (cx, foot - 0.07 * size), (0.06 * size, 0.1 * size))
    on.fill(trunk, _WOOD)
    for tier in range(3):
        low, half = foot - size * (0.12 + 0.25 * tier), size * (0.34 - 0.07 * tier)
        corners = [(cx - half, low), (cx + half, low), (cx, low - 0.42 * size)]
        on.fill(polygon(on.x, on.y, corners), darker(colour, 0.15), darker(colour, 0.45))


def _cactus(on: Canvas, cx: float, foot: float, size: float, colour: Rgb) -> None:
    def limb(ax: float, ay: float, bx: float, by: float, thick: float):
        start = (cx + ax * size, foot - ay * size)
        return capsule(on.x, on.y, start, (cx + bx * size, foot - by * size), thick * size)

    body = union(
        limb(0, 0, 0, 0.78, 0.11),
        limb(0, 0.28, -0.28, 0.28, 0.07),
        limb(-0.28, 0.28, -0.28, 0.55, 0.07),
        limb(0, 0.4, 0.28, 0.4, 0.07),
        limb(0.28, 0.4, 0.28, 0.7, 0.07),
    )
    on.fill(body, colour, darker(colour, 0.3))


def _pyramid(on: Canvas, cx: float, foot: float, size: float, colour: Rgb) -> None:
    del colour
    left, right, peak = (cx - 0.6 * size, foot), (cx + 0.6 * size, foot), (cx, foot - 0.8 * size)
    fold = (cx + 0.2 * size, foot)
    on.fill(polygon(on.x, on.y, [left, right, peak]), shade(240, 196, 110), shade(222, 170, 84))
    on.fill(polygon(on.x, on.y, [fold, right, peak]), shade(176, 126, 66), shade(150, 104, 56))


def _lighthouse(on: Canvas, cx: float, foot: float, size: float, colour: Rgb) -> None:
    rock = ellipse(on.x, on.y, (cx, foot + 0.03), (0.42 * size, 0.14 * size))
    on.fill(rock, shade(112, 104, 100), shade(84, 78, 78))

    def half_width(height: float) -> float:
        return (0.17 - 0.08 * height) * size

    def band(low: float, high: float):
        y_low, y_high = foot - low * size, foot - high * size
        a, b = half_width(low), half_width(high)
        corners = [(cx - a, y_low), (cx + a, y_low), (cx + b, y_high), (cx - b, y_high)]
        return polygon(on.x, on.y, corners)

    on.fill(band(0, 0.76), shade(248, 246, 240), shade(216, 214, 210))
    on.fill(band(0.08, 0.28), colour)
    on.fill(band(0.46, 0.64), colour)
    lamp = box(on.x, on.y, (cx, foot - 0.82 * size), (0.09 * size, 0.07 * size))
    on.fill(lamp, _LAMP, glow=0.07)
    eaves = foot - 0.88 * size
    roof = [(cx - 0.14 * size, eaves), (cx + 0.14 * size, eaves), (cx, foot - 1.04 * size)]
    on.fill(polygon(on.x, on.y, roof), darker(colour, 0.15))


def _sailboat(on: Canvas, cx: float, foot: float, size: float, colour: Rgb) -> None:
    deck, keel = foot - 0.14 * size, foot + 0.06 * size
    hull = [
        (cx - 0.44 * size, deck), (cx + 0.44 * size, deck),
        (cx + 0.28 * size, keel), (cx - 0.28 * size, keel),
    ]  # fmt: skip
    on.fill(polygon(on.x, on.y, hull), shade(128, 78, 48), shade(92, 54, 36))
    low = foot - 0.2 * size
    main = [(cx + 0.04 * size, foot - size), (cx + 0.04 * size, low), (cx + 0.42 * size, low)]
    on.fill(polygon(on.x, on.y, main), colour, darker(colour, 0.1))
    jib = [(cx - 0.06 * size, foot - 0.84 * size), (cx - 0.06 * size, low), (cx - 0.34 * size, low)]
    on.fill(polygon(on.x, on.y, jib), lighter(colour, 0.3), lighter(colour, 0.15))


def _balloon(on: Canvas, cx: float, foot: float, size: float, colour: Rgb) -> None:
    middle = foot - 0.62 * size
    neck = [
        (cx - 0.31 * size, middle + 0.19 * size), (cx + 0.31 * size, middle + 0.19 * size),
        (cx + 0.09 * size, middle + 0.46 * size), (cx - 0.09 * size, middle + 0.46 * size),
    ]  # fmt: skip
    envelope = union(circle(on.x, on.y, (cx, middle), 0.37 * size), polygon(on.x, on.y, neck))
    on.fill(envelope, lighter(colour, 0.08), darker(colour, 0.1))
    stripe = ellipse(on.x, on.y, (cx, middle + 0.02 * size), (0.13 * size, 0.36 * size))
    on.fill(stripe, lighter(colour, 0.45), lighter(colour, 0.3))
    basket = box(on.x, on.y, (cx, foot - 0.06 * size), (0.1 * size, 0.07 * size))
    on.fill(basket, shade(140, 92, 52))


DRAW_THING: dict[str, Callable[[Canvas, float, float, float, Rgb], None]] = {
    "house": _house,
    "tree": _tree,
    "pine tree": _pine_tree,
    "cactus": _cactus,
    "pyramid": _pyramid,
    "lighthouse": _lighthouse,
    "sailboat": _sailboat,
    "balloon": _balloon,
}


def draw_sun(on: Canvas, centre: tuple[float, float], low: bool) -> None:
    """A yellow sun, or a large orange one low in the sky."""
    disc = circle(on.x, on.y, centre, 0.12 if low else 0.095)
    on.fill(disc, shade(255, 196, 92) if low else shade(255, 222, 64), glow=0.07)


def draw_moon(on: Canvas, centre: tuple[float, float]) -> None:
    """A pale crescent moon."""
    disc = circle(on.x, on.y, centre, 0.095)
    bite = circle(on.x, on.y, (centre[0] + 0.06, centre[1] - 0.025), 0.085)
    on.fill(np.maximum(disc, -bite), shade(250, 244, 214), glow=0.05)


_STARS = (
    (0.07, 0.10), (0.20, 0.30), (0.33, 0.07), (0.45, 0.22), (0.58, 0.09),
    (0.68, 0.31), (0.80, 0.14), (0.93, 0.27), (0.12, 0.43), (0.88, 0.44),
)  # fmt: skip


def draw_stars(on: Canvas) -> None:
    """Always the same constellation: chance here would only have to be learnt."""
    dots = union(*(circle(on.x, on.y, star, 0.010) for star in _STARS))
    on.fill(dots, shade(255, 250, 226))
