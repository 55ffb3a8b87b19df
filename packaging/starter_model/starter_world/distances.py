"""Signed distance fields: negative inside an outline, positive outside, in picture widths."""

from functools import reduce

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Point = tuple[float, float]


def union(*fields: Field) -> Field:
    """The distance to the nearest of several outlines."""
    return reduce(np.minimum, fields)


def circle(x: Field, y: Field, centre: Point, radius: float) -> Field:
    """Distance to a circle."""
    return (np.hypot(x - centre[0], y - centre[1]) - radius).astype(np.float32)


def ellipse(x: Field, y: Field, centre: Point, half: Point) -> Field:
    """Approximate distance to an axis-aligned ellipse of the given half axes."""
    scaled = np.hypot((x - centre[0]) / half[0], (y - centre[1]) / half[1])
    return ((scaled - 1) * min(half)).astype(np.float32)


def box(x: Field, y: Field, centre: Point, half: Point, corner: float = 0.0) -> Field:
    """Distance to an axis-aligned box with rounded corners."""
    across = np.abs(x - centre[0]) - (half[0] - corner)
    down = np.abs(y - centre[1]) - (half[1] - corner)
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    return (outside + np.minimum(np.maximum(across, down), 0) - corner).astype(np.float32)


def capsule(x: Field, y: Field, start: Point, end: Point, radius: float) -> Field:
    """Distance to a thick line with round ends."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy + 1e-9)
    along = np.clip(along, 0, 1)
    return (np.hypot(x - start[0] - along * dx, y - start[1] - along * dy) - radius).astype(np.float32)


def polygon(x: Field, y: Field, corners: list[Point]) -> Field:
    """Distance to a closed polygon: nearest edge, signed by the crossing rule."""
    squared = np.full_like(x, np.inf)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, corners[-1:] + corners[:-1], strict=True):
        ex, ey, wx, wy = bx - ax, by - ay, x - ax, y - ay
        along = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey + 1e-12), 0, 1)
        squared = np.minimum(squared, (wx - along * ex) ** 2 + (wy - along * ey) ** 2)
        crosses = (y >= ay) != (y >= by)
        inside ^= crosses & ((ex * wy > ey * wx) == (by > ay))
    return np.where(inside, -1, 1).astype(np.float32) * np.sqrt(squared).astype(np.float32)


def _star_corners(centre: Point, radius: float) -> list[Point]:
    cx, cy = centre
    lengths = [radius * (1.2 if i % 2 == 0 else 0.5) for i in range(10)]
    angles = [i * np.pi / 5 for i in range(10)]
    return [
        (cx + length * float(np.sin(a)), cy + 0.08 * radius - length * float(np.cos(a)))
        for length, a in zip(lengths, angles, strict=True)
    ]


def _triangle_corners(centre: Point, radius: float) -> list[Point]:
    cx, cy = centre
    return [
        (cx, cy - 0.98 * radius),
        (cx + 1.08 * radius, cy + 0.86 * radius),
        (cx - 1.08 * radius, cy + 0.86 * radius),
    ]


def _heart_corners(centre: Point, radius: float) -> list[Point]:
    t = np.linspace(0, 2 * np.pi, 25)[:-1]
    across = 16 * np.sin(t) ** 3 / 15
    up = (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 15
    return [
        (centre[0] + radius * float(a), centre[1] - radius * (0.12 + float(b))) for a, b in zip(across, up, strict=True)
    ]


def shape(name: str, x: Field, y: Field, centre: Point, radius: float) -> Field:
    """Distance to one of the named shapes of about this radius."""
    if name == "circle":
        return circle(x, y, centre, radius)
    if name == "square":
        return box(x, y, centre, (0.9 * radius, 0.9 * radius), 0.04 * radius)
    if name == "cross":
        arm, half_width = 1.05 * radius, 0.34 * radius
        return union(box(x, y, centre, (arm, half_width)), box(x, y, centre, (half_width, arm)))
    corners = {"triangle": _triangle_corners, "star": _star_corners, "heart": _heart_corners}
    return polygon(x, y, corners[name](centre, radius))
