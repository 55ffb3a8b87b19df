"""Mask: which parts of a picture are painted anew, painted stroke by stroke and shown as a tint."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from PySide6.QtCore import QBuffer, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter, QPainterPath, QPen

SMALLEST_BRUSH, LARGEST_BRUSH = 1, 1024
_RINGS = 24
_GREY = QImage.Format.Format_Grayscale8


@dataclass(frozen=True, kw_only=True)
class Brush:
    """`size` is its diameter in picture pixels; from `hardness` (0…1) of its radius outwards it fades."""

    size: float = 64.0
    hardness: float = 0.7
    erases: bool = False

    def sized(self, size: float) -> Brush:
        return replace(self, size=max(SMALLEST_BRUSH, min(LARGEST_BRUSH, size)))

    @property
    def feather(self) -> float:
        """How many pixels its edge takes."""
        return self.size / 2 * (1 - self.hardness)


class Mask:
    """One level a pixel, 255 where to paint. What touches it answers with the rectangle that changed."""

    def __init__(self, levels: QImage) -> None:
        self._levels = levels.convertToFormat(_GREY)
        self._bounds = self._levels.rect()

    @staticmethod
    def blank(size: QSize) -> Mask:
        levels = QImage(size, _GREY)
        levels.fill(0)
        return Mask(levels)

    def size(self) -> QSize:
        return self._levels.size()

    def levels(self) -> QImage:
        """A copy that later strokes leave alone; it costs nothing until then."""
        return QImage(self._levels)

    def level(self, x: int, y: int) -> int:
        return self._levels.pixelColor(x, y).red()

    def stroke(self, start: QPointF, end: QPointF, brush: Brush, pressure: float = 1.0) -> QRect:
        """A line as wide as the brush at that pressure (0…1); going over it again does not darken its edge."""
        radius = max(0.5, brush.size * pressure / 2)
        around = QRectF(start, end).normalized().adjusted(-radius, -radius, radius, radius)

        def draw(painter: QPainter) -> None:
            for share, level in _rings(brush.hardness, radius):
                painter.setPen(QPen(_grey(level), 2 * radius * share, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
                if start == end:
                    painter.drawPoint(start)
                else:
                    painter.drawLine(start, end)

        return self._merge(around, draw, erases=brush.erases)

    def region(self, path: QPainterPath, brush: Brush) -> QRect:
        """Everything inside `path`, fading at its edge as the brush does."""
        feather = brush.feather
        around = path.boundingRect().adjusted(-feather, -feather, feather, feather)
        return self._merge(around, lambda painter: painter.fillPath(path, _grey(255)), feather, brush.erases)

    def fill(self) -> QRect:
        self._levels.fill(255)
        return self._bounds

    def clear(self) -> QRect:
        self._levels.fill(0)
        return self._bounds

    def invert(self) -> QRect:
        self._levels.invertPixels()
        return self._bounds

    def tinted(self, part: QRect, color: QColor, most: float) -> QImage:
        """`part` in one colour, `most` (0…1) opaque where the mask is full."""
        image = self._levels.copy(part)
        image.reinterpretAsFormat(QImage.Format.Format_Indexed8)
        image.setColorTable(_tints(color.rgb(), most))
        return image

    def _merge(
        self, around: QRectF, draw: Callable[[QPainter], None], feather: float = 0.0, erases: bool = False
    ) -> QRect:
        """Draws white on black beside the mask, and keeps of both the brighter; erasing, the darker of its negative."""
        part = around.toAlignedRect().adjusted(-1, -1, 1, 1).intersected(self._bounds)
        if part.isEmpty():
            return QRect()
        layer = QImage(part.size(), _GREY)
        layer.fill(0)
        painter = QPainter(layer)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(-part.topLeft())
        draw(painter)
        painter.end()
        layer = _blurred(layer, feather)
        if erases:
            layer.invertPixels()
        mode = QPainter.CompositionMode
        painter = QPainter(self._levels)
        painter.setCompositionMode(mode.CompositionMode_Darken if erases else mode.CompositionMode_Lighten)
        painter.drawImage(part.topLeft(), layer)
        painter.end()
        return part


def as_png(levels: QImage) -> bytes:
    """A mask's levels as a file; empty when nothing is painted at all."""
    if not bytes(levels.constBits()).strip(b"\0"):
        return b""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, b"png")
    writer.setCompression(20)
    writer.write(levels)
    return bytes(buffer.data().data())


def _rings(hardness: float, radius: float) -> Iterator[tuple[float, int]]:
    """Shares of the radius from the outside inwards, and how white the brush is there."""
    fade = (1 - hardness) * radius
    count = max(1, min(_RINGS, round(fade)))
    for ring in range(1, count + 1):
        far = 1 - (1 - hardness) * (ring - 1) / count if count > 1 else 1.0
        yield max(far, 0.02), round(255 * (0.5 - 0.5 * math.cos(math.pi * ring / count)))


def _blurred(layer: QImage, feather: float) -> QImage:
    """Made small and large again: smooth enough for an edge, and quick at any size."""
    if feather < 1:
        return layer
    size = QSize(max(2, round(layer.width() / feather)), max(2, round(layer.height() / feather)))
    keep, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    return layer.scaled(size, keep, smooth).scaled(layer.size(), keep, smooth).convertToFormat(_GREY)


def _grey(level: int) -> QColor:
    return QColor(level, level, level)


def _tints(color: int, most: float) -> list[int]:
    return [(round(level * most) << 24) | (color & 0xFFFFFF) for level in range(256)]
