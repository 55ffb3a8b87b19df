"""People as skeletons of coloured strokes, which is what ControlNets for poses were trained on.

Points, limbs and their colours are those of OpenPose's COCO model (Cao et al., arXiv:1812.08008,
https://github.com/CMU-Perceptual-Computing-Lab/openpose, `poseParameters.cpp`), drawn as for ControlNet (Zhang et al.,
arXiv:2302.05543): limbs at three fifths of their colour, the points above them.
"""

from __future__ import annotations

import math

import numpy
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw

Points = NDArray[numpy.float64]
Rows = NDArray[numpy.uint8]

POINTS = 18
_NECK = 1

#: OpenPose's points but the neck (nose, neck, right arm, left arm, right leg, left leg, eyes, ears) as COCO numbers
#: them: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles, the left one first.
_OF_COCO = {
    0: 0, 2: 6, 3: 8, 4: 10, 5: 5, 6: 7, 7: 9, 8: 12, 9: 14, 10: 16, 11: 11, 12: 13, 13: 15, 14: 2, 15: 1, 16: 4, 17: 3,
}  # fmt: skip
_LEFT_SHOULDER, _RIGHT_SHOULDER = 5, 6

#: Each in the colour of its number.
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85),
)  # fmt: skip
_LIMB_SHARE = 0.6

#: Half a stroke's width on a picture whose shorter side is 512 pixels.
_RADIUS, _OF_SIDE = 4, 512
_CORNERS = 24


def drawn(people: Points, width: int, height: int) -> Rows:
    """RGB bytes of (height, width, 3). `people` is (n, 17, 3): x and y in pixels, and above 0 where a point is seen."""
    picture = Picture.new("RGB", (width, height))
    brush = ImageDraw.Draw(picture)
    radius = max(1.0, _RADIUS * min(width, height) / _OF_SIDE)
    for person in (openpose(each) for each in people):
        for colour, (one, other) in zip(COLOURS, LIMBS, strict=False):
            if person[one, 2] > 0 and person[other, 2] > 0:
                dim = tuple(round(level * _LIMB_SHARE) for level in colour)
                brush.polygon(_spindle(person[one, :2], person[other, :2], radius), fill=dim)
        for colour, (x, y, seen) in zip(COLOURS, person, strict=True):
            if seen > 0:
                brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return numpy.asarray(picture)


def openpose(person: Points) -> Points:
    """(18, 3) as OpenPose numbers them of (17, 3) as COCO does; the neck is the middle of both shoulders."""
    found = numpy.zeros((POINTS, 3))
    for place, source in _OF_COCO.items():
        found[place] = person[source]
    shoulders = person[[_LEFT_SHOULDER, _RIGHT_SHOULDER]]
    if (shoulders[:, 2] > 0).all():
        found[_NECK] = shoulders.mean(axis=0)
    return found


def _spindle(start: Points, end: Points, radius: float) -> list[tuple[float, float]]:
    """The corners of an ellipse from one point to another, `radius` wide to each side."""
    (x, y), along = (start + end) / 2, (end - start) / 2
    length = max(float(numpy.hypot(*along)), 1e-6)
    turned = numpy.array((-along[1], along[0])) / length * radius
    angles = (2 * math.pi * corner / _CORNERS for corner in range(_CORNERS))
    corners = (math.cos(angle) * along + math.sin(angle) * turned for angle in angles)
    return [(x + float(right), y + float(down)) for right, down in corners]
