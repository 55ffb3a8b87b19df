"""FineImage: a picture averaged down once to the size in which it is shown, and kept for the next repaint."""

from __future__ import annotations

from PySide6.QtCore import QSizeF, Qt
from PySide6.QtGui import QImage

#: Shown at more of its size than this, a picture is scaled well enough while it is painted.
_WELL_ENOUGH = 0.75


class FineImage:
    def __init__(self) -> None:
        self._of = 0
        self._image = QImage()

    def of(self, image: QImage, size: QSizeF) -> QImage:
        """`image` itself, or its smaller copy when `size`, in device pixels, is much smaller."""
        width, height = round(size.width()), round(size.height())
        if width >= image.width() * _WELL_ENOUGH or width < 1 or height < 1:
            return image
        if self._of != image.cacheKey() or self._image.width() != width or self._image.height() != height:
            keep, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            self._image = image.scaled(width, height, keep, smooth)
            self._of = image.cacheKey()
        return self._image
