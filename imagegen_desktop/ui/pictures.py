"""Pictures: decodes our own image files away from the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QImageWriter

from ..protocol.messages import Image
from .bridge import Bridge

#: Longest side, in pixels, of a picture that is shown as it comes from who made it.
_MOST_SHOWN = 4096

OnImage = Callable[[QImage], None]


class Pictures(QObject):
    """Reads a picture on a pool thread and hands it over in this one; a null image when it cannot be read."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._bridge = bridge

    def load(self, source: Path | bytes, on_image: OnImage, longest: int = 0) -> None:
        """`longest` bounds the longer side in pixels, 0 keeps the size."""
        self._bridge.ask(lambda: decoded(source, longest), on_image, lambda problem: on_image(QImage()))


def decoded(source: Path | bytes, longest: int = 0) -> QImage:
    """A picture of ours, scaled down while it is read when it is larger than `longest`."""
    if isinstance(source, bytes):
        device = QBuffer()
        device.setData(QByteArray(source))
        device.open(QIODevice.OpenModeFlag.ReadOnly)
        return _read(QImageReader(device), longest)
    return _read(QImageReader(str(source)), longest)


def from_rows(width: int, height: int, pixels: bytes) -> QImage:
    """An image of its own memory from raw RGB rows."""
    return QImage(pixels, width, height, width * 3, QImage.Format.Format_RGB888).copy()


def encoded(image: QImage) -> bytes:
    """A picture from the clipboard or another program, as a file's bytes."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, b"png").write(image)
    return bytes(buffer.data().data())


def shrinks(event: Image) -> bool:
    return max(event.width, event.height) > _MOST_SHOWN


def shrunk(event: Image) -> Image:
    """A very large finished picture at a size a window can take at once; its file has all of it."""
    size = QSize(_MOST_SHOWN, _MOST_SHOWN)
    large = QImage(event.pixels, event.width, event.height, event.width * 3, QImage.Format.Format_RGB888)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    small = large.scaled(size, keep, smooth).convertToFormat(QImage.Format.Format_RGB888)
    data, line, width = bytes(small.constBits()), small.bytesPerLine(), small.width() * 3
    rows = b"".join(data[start : start + width] for start in range(0, line * small.height(), line))
    return replace(event, width=small.width(), height=small.height(), pixels=rows)


def _read(reader: QImageReader, longest: int) -> QImage:
    reader.setAutoTransform(True)
    size = reader.size()
    if longest and size.isValid() and max(size.width(), size.height()) > longest:
        reader.setScaledSize(size.scaled(QSize(longest, longest), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
