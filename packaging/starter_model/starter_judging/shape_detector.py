"""Finds coloured shapes on a plain ground: which colour, which shape, where."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from starter_world.distances import shape as shape_distance
from starter_world.vocabulary import COLOURS, SHAPES, rgb

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
_GRID = 40


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One shape: its colour and shape names and its middle in picture widths."""

    colour: str
    shape: str
    x: float
    y: float


def lab(colours: NDArray[np.floating]) -> NDArray[np.float64]:
    """CIE L*a*b* of sRGB colours in 0..1; distances in it are near to what eyes see."""
    linear = np.where(colours > 0.04045, ((colours + 0.055) / 1.055) ** 2.4, colours / 12.92)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


@cache
def _named_colours() -> dict[str, NDArray[np.float64]]:
    return {name: lab(rgb(name)) for name in COLOURS}


def nearest_colour(colour: NDArray[np.float64]) -> str:
    """The name of the colour nearest to one in L*a*b*."""
    named = _named_colours()
    return min(named, key=lambda name: float(((named[name] - colour) ** 2).sum()))


def _standing_out(picture: NDArray[np.float64]) -> Mask:
    """Where the picture differs from the colour of its border."""
    border = np.concatenate(
        [picture[:5].reshape(-1, 3), picture[-5:].reshape(-1, 3),
         picture[:, :5].reshape(-1, 3), picture[:, -5:].reshape(-1, 3)]
    )  # fmt: skip
    away = np.sqrt(((picture - np.median(border, 0)) ** 2).sum(-1))
    return away > max(14.0, 0.42 * float(np.percentile(away, 99)))


def _normalised(mask: Mask) -> Mask:
    """The mask moved and scaled so that its middle and its area are always the same."""
    rows, columns = np.nonzero(mask)
    reach = (np.arange(_GRID) + 0.5) / _GRID * 2.6 - 1.3
    steps = reach * np.sqrt(len(rows))
    down = np.clip(np.round(rows.mean() + steps).astype(int), 0, mask.shape[0] - 1)
    across = np.clip(np.round(columns.mean() + steps).astype(int), 0, mask.shape[1] - 1)
    return mask[np.ix_(down, across)]


@cache
def _templates() -> dict[str, Mask]:
    middle = ((np.arange(128) + 0.5) / 128).astype(np.float32)
    x, y = np.meshgrid(middle, middle)
    return {name: _normalised(shape_distance(name, x, y, (0.5, 0.5), 0.27) < 0) for name in SHAPES}


def _nearest_shape(mask: Mask) -> str:
    seen, templates = _normalised(mask), _templates()

    def overlap(name: str) -> float:
        return float((seen & templates[name]).sum() / (seen | templates[name]).sum())

    return max(templates, key=overlap)


def find_shapes(pixels: Pixels, most: int = 2) -> list[Finding]:
    """The largest separate shapes on the ground, largest first."""
    picture = lab(pixels / 255.0)
    parts, count = ndimage.label(_standing_out(picture))
    areas = ndimage.sum_labels(parts > 0, parts, range(1, count + 1))
    found = []
    for index in np.argsort(-np.asarray(areas))[:most]:
        if areas[index] < 80:
            continue
        mask = parts == index + 1
        inside = ndimage.binary_erosion(mask, iterations=2)
        colour = np.median(picture[inside if inside.sum() > 20 else mask], 0)
        rows, columns = np.nonzero(mask)
        found.append(
            Finding(
                colour=nearest_colour(colour),
                shape=_nearest_shape(mask),
                x=float(columns.mean() / mask.shape[1]),
                y=float(rows.mean() / mask.shape[0]),
            )
        )
    return found


def find_shape(pixels: Pixels) -> Finding | None:
    """The largest shape, or None on an empty ground."""
    found = find_shapes(pixels, most=1)
    return found[0] if found else None


def stands_in_relation(first: Finding, relation: str, second: Finding) -> bool:
    """Whether the first is clearly left of, right of, above or below the second."""
    across, down = second.x - first.x, second.y - first.y
    clear, aside = {
        "left of": (across, down),
        "right of": (-across, down),
        "above": (down, across),
        "below": (-down, across),
    }[relation]
    return clear > 0.1 and abs(aside) < clear
