"""The four scenes: a sky for the time of day, and ground to put things on."""

from collections.abc import Callable
from typing import Final

import numpy as np

from starter_world.canvas import Canvas, darker, lighter, shade
from starter_world.distances import box, polygon, union
from starter_world.things import draw_moon, draw_stars, draw_sun
from starter_world.vocabulary import Rgb

HORIZON: Final = 0.56
_SKIES: Final[dict[str, tuple[Rgb, Rgb]]] = {
    "day": (shade(96, 172, 238), shade(210, 236, 250)),
    "sunset": (shade(112, 66, 146), shade(252, 152, 86)),
    "night": (shade(10, 14, 44), shade(42, 54, 110)),
}
_DARKENING: Final = {"day": 0.0, "sunset": 0.18, "night": 0.5}

GroundHeight = Callable[[float], float]


def draw_sky(on: Canvas, time: str, sun_x: float, lit: bool) -> None:
    """The sky of a time of day, with its sun or moon where `lit`."""
    on.background(*_SKIES[time])
    if time == "night":
        draw_stars(on)
    if not lit:
        return
    if time == "night":
        draw_moon(on, (sun_x, 0.2))
    else:
        draw_sun(on, (sun_x, 0.44 if time == "sunset" else 0.2), low=time == "sunset")


def draw_ground(on: Canvas, scene: str, time: str, chance: np.random.Generator) -> GroundHeight:
    """Draw the ground of a scene; the result tells where a thing at x puts its foot."""
    draw = {"hills": _hills, "sea": _sea, "desert": _desert, "mountains": _mountains}[scene]
    return draw(on, _DARKENING[time], chance)


def _waves(on: Canvas, chance: np.random.Generator, colours: list[Rgb], steep: float) -> GroundHeight:
    """Three rolling layers, the nearest last."""
    middle: GroundHeight = lambda _: HORIZON  # noqa: E731
    for layer, colour in enumerate(colours):
        level, phase = HORIZON + 0.03 + 0.13 * layer, chance.uniform(0, 2 * np.pi)
        high, pace = steep * (1 - 0.2 * layer), 5.0 + layer

        def height(x, level=level, phase=phase, high=high, pace=pace):
            return level - high * np.sin(pace * x + phase)

        on.fill((height(on.x) - on.y).astype(np.float32), lighter(colour, 0.08), darker(colour, 0.1))
        if layer == 1:
            middle = lambda x, h=height: float(h(x)) + 0.05  # noqa: E731
    return middle


def _hills(on: Canvas, dark: float, chance: np.random.Generator) -> GroundHeight:
    greens = [shade(126, 196, 112), shade(74, 164, 84), shade(44, 128, 66)]
    return _waves(on, chance, [darker(green, dark) for green in greens], 0.05)


def _desert(on: Canvas, dark: float, chance: np.random.Generator) -> GroundHeight:
    sands = [shade(246, 212, 144), shade(234, 188, 112), shade(206, 154, 84)]
    return _waves(on, chance, [darker(sand, dark) for sand in sands], 0.035)


def _sea(on: Canvas, dark: float, chance: np.random.Generator) -> GroundHeight:
    water, level = darker(shade(36, 110, 208), dark), HORIZON + 0.02
    on.fill((level - on.y).astype(np.float32), lighter(water, 0.2), darker(water, 0.3))
    shift = chance.uniform(-0.05, 0.05)
    places = ((0.18, 0.66, 0.07), (0.72, 0.71, 0.08), (0.4, 0.82, 0.1), (0.84, 0.9, 0.08))
    ripples = union(*(box(on.x, on.y, (x + shift, y), (half, 0.008), 0.006) for x, y, half in places))
    on.fill(ripples, lighter(water, 0.4))
    return lambda _: 0.78


def _mountains(on: Canvas, dark: float, chance: np.random.Generator) -> GroundHeight:
    near_x, far_x = chance.uniform(-0.06, 0.06, 2)
    far = [(0.27 + far_x, 0.22), (0.74 + far_x, 0.28)]
    near = [(-0.02 + near_x, 0.46), (0.5 + near_x, 0.42), (1.0 + near_x, 0.46)]
    for peaks, colour, half in ((far, shade(126, 142, 186), 0.42), (near, shade(92, 106, 150), 0.34)):
        rock = darker(colour, dark)
        sides = [polygon(on.x, on.y, [(x - half, 0.9), (x + half, 0.9), (x, y)]) for x, y in peaks]
        on.fill(union(*sides), rock, darker(rock, 0.25))
        if peaks is far:
            snow = [polygon(on.x, on.y, [(x - 0.08, y + 0.13), (x + 0.08, y + 0.13), (x, y)]) for x, y in peaks]
            on.fill(union(*snow), darker(shade(248, 250, 252), 0.5 * dark))
    meadow = darker(shade(88, 150, 92), dark)
    on.fill((0.76 - on.y).astype(np.float32), lighter(meadow, 0.05), darker(meadow, 0.25))
    return lambda _: 0.84
