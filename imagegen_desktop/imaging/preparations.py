"""Making of a picture what a ControlNet was trained on: edges, rough lines, or the picture without its details."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy
from numpy.typing import NDArray

from .picture import Picture

Rows = NDArray[numpy.uint8]

_CANNY = 100, 200
#: Blurs whose difference is where a pencil would go (Winnemöller et al., XDoG, 2012).
_FINE, _COARSE = 0.5, 5.0
_PENCIL = 24
_TILE = 4


def prepare(picture: Picture, preparation: str) -> Picture:
    """The picture prepared, of the same size and opaque; itself for a preparation that is not made here."""
    make = _PREPARATIONS.get(preparation)
    if make is None:
        return picture
    rows = numpy.frombuffer(picture.rgb, numpy.uint8).reshape(picture.height, picture.width, 3)
    return replace(picture, rgb=make(rows).tobytes(), alpha=None)


def _canny(rows: Rows) -> Rows:
    """Edges, white on black (Canny, 1986)."""
    return _white(cv2.Canny(cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY), *_CANNY))


def _scribble(rows: Rows) -> Rows:
    """Where tones meet, in strokes as of a thick pen, white on black."""
    fine, coarse = (cv2.GaussianBlur(rows, (0, 0), size).astype(numpy.int16) for size in (_FINE, _COARSE))
    strokes = ((coarse - fine).max(axis=2) > _PENCIL).astype(numpy.uint8) * 255
    return _white(cv2.dilate(strokes, numpy.ones((3, 3), numpy.uint8)))


def _tile(rows: Rows) -> Rows:
    """Colours and composition; what was finer is for the model to draw."""
    height, width = rows.shape[:2]
    small = cv2.resize(rows, (max(1, width // _TILE), max(1, height // _TILE)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(numpy.uint8)


def _white(levels: NDArray[numpy.generic]) -> Rows:
    return numpy.repeat(levels.astype(numpy.uint8)[:, :, None], 3, axis=2)


_PREPARATIONS: dict[str, Callable[[Rows], Rows]] = {"canny": _canny, "scribble": _scribble, "tile": _tile}
