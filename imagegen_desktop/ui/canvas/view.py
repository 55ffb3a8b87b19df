"""The canvas: one picture, live while it is drawn, fitted or zoomed; takes dropped pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from ..theme import Theme, moves
from ..tokens import MOTION
from .dropping import droppable, dropped, paint_hint
from .fine_image import FineImage
from .viewport import Viewport

#: Paints over the picture, within a part of the widget.
Overlay = Callable[[QPainter, Viewport, QRect], None]


class Canvas(QWidget):
    """Paints `show_picture`'s image over the whole rectangle a finished picture of that size takes.

    `overlays` are painted over it, in their order.
    """

    picture_dropped = Signal(object)
    picture_changed = Signal()
    zoom_changed = Signal(float)
    drop_hinted = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAccessibleName(self.tr("Canvas"))
        self.setAccessibleDescription(self.tr("The picture being drawn. Drop a picture here to start from it."))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setMinimumSize(240, 140)
        self.setMouseTracking(True)
        self.overlays: list[Overlay] = []
        self._theme = theme
        self._image = QImage()
        self._previous = QImage()
        self._fine = FineImage()
        self._view = Viewport(widget=QSizeF(self.size()), picture=QSizeF(0, 0))
        self._grabbed: QPointF | None = None
        self._dropping = False
        self._fade = QVariantAnimation(self)
        self._fade.setStartValue(0.0)
        self._fade.setEndValue(1.0)
        self._fade.setDuration(MOTION)
        self._fade.valueChanged.connect(lambda _: self.update())

    def show_picture(self, image: QImage, width: int = 0, height: int = 0, *, fade: bool = False) -> None:
        """Shows `image` as a picture of `width` × `height`, which a preview has only a fraction of."""
        self._previous = self._image if fade and moves() else QImage()
        self._image = image
        size = QSizeF(width or image.width(), height or image.height())
        if size != self._view.picture:
            self._view = Viewport(widget=QSizeF(self.size()), picture=size, margin=self._view.margin)
            self.zoom_changed.emit(self._view.scale)
        self._fade.stop()
        if not self._previous.isNull():
            self._fade.start()
        self.picture_changed.emit()
        self.update()

    def picture(self) -> QImage:
        """What is shown; null when the canvas is empty."""
        return self._image

    @property
    def view(self) -> Viewport:
        """Where the picture lies now."""
        return self._view

    def fit(self, margin: float | None = None) -> None:
        """Shows the whole picture; `margin` is from now on left around it, in widget pixels."""
        self._look(replace(self._view.fitted(), margin=self._view.margin if margin is None else margin))

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        if not self._image.isNull():
            self._look(self._view.zoomed(factor, at or QPointF(self.rect().center())))

    def zoom_to(self, scale: float) -> None:
        self.zoom_by(scale / self._view.scale)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.canvas))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        target = self._view.target
        if not self._image.isNull():
            self._paint_picture(painter, target)
            for overlay in self.overlays:
                overlay(painter, self._view, event.rect())
        if self.hasFocus() and not self._image.isNull():
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        if self._dropping:
            paint_hint(painter, self.rect(), self._theme.tokens, self.tr("Drop to start from this picture"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._look(replace(self._view, widget=QSizeF(self.size())))
        super().resizeEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y() / 120
        self.zoom_by(1.2**turns, event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton) and not self._image.isNull():
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            self._look(self._view.panned(event.position() - self._grabbed))
            self._grabbed = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit() if self._view.zoom is not None else self.zoom_to(1.0)

    def show_drop_hint(self, shown: bool) -> None:
        """The whole canvas says that what is dragged over it can be dropped."""
        self._dropping = shown
        self.drop_hinted.emit(shown)
        self.update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if droppable(event):
            self.show_drop_hint(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.show_drop_hint(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.show_drop_hint(False)
        found = dropped(event)
        if found is not None:
            event.acceptProposedAction()
            self.picture_dropped.emit(found)

    def _look(self, view: Viewport) -> None:
        self._view = view
        self.zoom_changed.emit(view.scale)
        self.update()

    def _paint_picture(self, painter: QPainter, target: QRectF) -> None:
        smooth = self._view.scale < 4 or self._image.width() < self._view.picture.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        share = float(self._fade.currentValue() or 0.0) if self._fade.state() == self._fade.State.Running else 1.0
        if share < 1.0 and not self._previous.isNull():
            painter.drawImage(target, self._previous)
            painter.setOpacity(share)
        painter.drawImage(target, self._fine.of(self._image, target.size() * self.devicePixelRatioF()))
        painter.setOpacity(1.0)
