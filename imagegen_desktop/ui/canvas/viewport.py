"""Viewport: where a picture of some size lies in a widget of another: fitted, or zoomed and panned."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSizeF

SMALLEST, LARGEST = 0.05, 32.0
#: A small picture is enlarged to fit, but not beyond this.
_FIT_LARGEST = 6.0


@dataclass(frozen=True, kw_only=True)
class Viewport:
    """`zoom` in widget pixels per picture pixel, None to fit; `centre` is the picture point in the middle."""

    widget: QSizeF
    picture: QSizeF
    margin: float = 24.0
    zoom: float | None = None
    centre: QPointF | None = None

    @property
    def scale(self) -> float:
        if self.zoom is not None:
            return self.zoom
        if self.picture.isEmpty():
            return 1.0
        across = (self.widget.width() - 2 * self.margin) / self.picture.width()
        down = (self.widget.height() - 2 * self.margin) / self.picture.height()
        return max(SMALLEST, min(across, down, _FIT_LARGEST))

    @property
    def target(self) -> QRectF:
        """The picture's rectangle in the widget."""
        scale = self.scale
        middle = self._middle()
        left = self.widget.width() / 2 - middle.x() * scale
        top = self.widget.height() / 2 - middle.y() * scale
        return QRectF(left, top, self.picture.width() * scale, self.picture.height() * scale)

    def to_picture(self, point: QPointF) -> QPointF:
        """The picture point under a point of the widget; also beside the picture."""
        return (point - self.target.topLeft()) / self.scale

    def to_widget(self, part: QRectF) -> QRectF:
        """Where a part of the picture lies in the widget."""
        return QRectF(self.target.topLeft() + part.topLeft() * self.scale, part.size() * self.scale)

    def zoomed(self, factor: float, at: QPointF) -> Viewport:
        """Zoomed by `factor` with the picture point under `at` staying there."""
        scale = max(SMALLEST, min(LARGEST, self.scale * factor))
        before = (at - self.target.topLeft()) / self.scale
        offset = (at - QPointF(self.widget.width() / 2, self.widget.height() / 2)) / scale
        return replace(self, zoom=scale, centre=before - offset)

    def panned(self, by: QPointF) -> Viewport:
        middle = self._middle() - by / self.scale
        inside = QPointF(
            max(0.0, min(self.picture.width(), middle.x())), max(0.0, min(self.picture.height(), middle.y()))
        )
        return replace(self, zoom=self.scale, centre=inside)

    def fitted(self) -> Viewport:
        return replace(self, zoom=None, centre=None)

    def _middle(self) -> QPointF:
        fitted = QPointF(self.picture.width() / 2, self.picture.height() / 2)
        return fitted if self.centre is None or self.zoom is None else self.centre
