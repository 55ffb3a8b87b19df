"""Pictures: decodes our own image files away from the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from .bridge import Bridge

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


def _read(reader: QImageReader, longest: int) -> QImage:
    reader.setAutoTransform(True)
    size = reader.size()
    if longest and size.isValid() and max(size.width(), size.height()) > longest:
        reader.setScaledSize(size.scaled(QSize(longest, longest), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
