"""Draws one captioned picture: shapes on a plain ground, or a landscape with a thing in it."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from starter_world import captions
from starter_world.canvas import Canvas, darker, lighter
from starter_world.distances import shape
from starter_world.landscapes import draw_ground, draw_sky
from starter_world.things import DRAW_THING
from starter_world.vocabulary import (
    COLOURABLE_THINGS,
    COLOURS,
    GROUNDS,
    RELATIONS,
    RENDERINGS,
    SCENES,
    SHAPES,
    THINGS,
    TIMES,
    USUAL_COLOURS,
    rgb,
)

Chance = np.random.Generator
Kind = Literal["shape", "pair", "landscape"]
_KINDS: tuple[Kind, ...] = ("shape", "pair", "landscape")
_KIND_SHARES = (0.30, 0.27, 0.43)
_RENDERING_SHARES = (0.70, 0.16, 0.14)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Pixels (uint8, size x size x 3), what a person would ask for, and what is really in it."""

    pixels: NDArray[np.uint8]
    caption: str
    labels: dict[str, str] = field(default_factory=dict)


def draw_picture(chance: Chance, size: int = 128, kind: Kind | None = None, rendering: str | None = None) -> Picture:
    """A random picture of the world; kind and rendering are drawn unless given."""
    kind = kind or _KINDS[int(chance.choice(len(_KINDS), p=_KIND_SHARES))]
    if rendering is None:
        rendering = RENDERINGS[int(chance.choice(len(RENDERINGS), p=_RENDERING_SHARES))]
    canvas = Canvas(size, rendering)
    labels = {"rendering": rendering, "kind": kind}
    if kind == "landscape":
        labels |= _landscape_labels(chance)
        draw_landscape(canvas, labels, chance)
    else:
        labels |= _shape_labels(chance, pair=kind == "pair")
        if rendering == "neon":
            labels["ground"] = "black"
        draw_shapes(canvas, labels, chance)
    return Picture(pixels=canvas.finished(), caption=captions.caption(labels, chance), labels=labels)


def _pick(chance: Chance, choices: tuple[str, ...] | list[str]) -> str:
    return choices[int(chance.integers(len(choices)))]


def _shape_labels(chance: Chance, pair: bool) -> dict[str, str]:
    first, second = (list(COLOURS)[int(i)] for i in chance.choice(len(COLOURS), 2, replace=False))
    ground = "white" if chance.random() < 0.6 else _pick(chance, list(GROUNDS))
    labels = {"colour": first, "shape": _pick(chance, SHAPES), "ground": ground}
    if pair:
        labels |= {
            "other colour": second,
            "other shape": _pick(chance, SHAPES),
            "relation": _pick(chance, list(RELATIONS)),
        }
    return labels


def _landscape_labels(chance: Chance) -> dict[str, str]:
    scene, time = _pick(chance, SCENES), _pick(chance, TIMES)
    labels = {"scene": scene, "time": time, "lit": "yes" if chance.random() < 0.65 else "no"}
    if chance.random() < 0.75:
        thing = _pick(chance, [name for name, scenes in THINGS.items() if scene in scenes])
        colour = USUAL_COLOURS[thing]
        if thing in COLOURABLE_THINGS and chance.random() < 0.6:
            colour = _pick(chance, list(COLOURS))
            labels["named colour"] = "yes"
        labels |= {"thing": thing, "colour": colour}
    return labels


def draw_shapes(canvas: Canvas, labels: dict[str, str], chance: Chance) -> None:
    """One shape in the middle, or two on either side of it."""
    canvas.background(rgb(labels["ground"]), rgb(labels["ground"]))
    jitter = chance.uniform(-1, 1, (2, 2))
    if "relation" not in labels:
        placed = [(labels["colour"], labels["shape"], 0.5 + 0.04 * jitter[0], chance.uniform(0.24, 0.29))]
    else:
        step = 0.235 * np.asarray(RELATIONS[labels["relation"]])
        sizes = chance.uniform(0.155, 0.18, 2)
        placed = [
            (labels["colour"], labels["shape"], 0.5 + step + 0.02 * jitter[0], sizes[0]),
            (labels["other colour"], labels["other shape"], 0.5 - step + 0.02 * jitter[1], sizes[1]),
        ]
    for colour, name, (cx, cy), radius in placed:
        outside = shape(name, canvas.x, canvas.y, (float(cx), float(cy)), float(radius))
        canvas.fill(outside, lighter(rgb(colour), 0.08), darker(rgb(colour), 0.08))


def draw_landscape(canvas: Canvas, labels: dict[str, str], chance: Chance) -> None:
    """Sky, ground, and perhaps a thing on the side where sun or moon is not."""
    side = 1 if chance.random() < 0.5 else -1
    sun_x, thing_x = 0.5 + side * chance.uniform(0.22, 0.3), 0.5 - side * chance.uniform(0.1, 0.2)
    draw_sky(canvas, labels["time"], float(sun_x), labels["lit"] == "yes")
    ground = draw_ground(canvas, labels["scene"], labels["time"], chance)
    thing = labels.get("thing")
    if thing is None:
        return
    foot, size = ground(float(thing_x)), float(chance.uniform(0.42, 0.48))
    if thing == "balloon":
        foot, size = 0.56, 0.44
    elif thing == "lighthouse":
        foot, size = 0.82, 0.6
    dim = 0.15 if labels["time"] == "night" and canvas.rendering != "neon" else 0.0
    DRAW_THING[thing](canvas, float(thing_x), foot, size, darker(rgb(labels["colour"]), dim))
