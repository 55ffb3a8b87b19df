"""Comparing: two pictures in one frame, with a divider between before and after."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ..icons import name_icon
from ..theme import Theme, sized
from ..tokens import CORNER, SMALL
from ..widgets.fields import Slider
from ..widgets.labels import Label
from .fine_image import FineImage
from .viewport import Viewport

_WHOLE = 1000
_STEP, _LEAP = 20, 100
_HANDLE = 12.0
_KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class ComparePane(QWidget):
    """The slider below moves the divider too, and tells screen readers where it is. Esc or ✕ closes."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("comparePane")
        self.setAccessibleName(self.tr("Comparison of two pictures"))
        self._halves = Halves(theme)
        self._slider = Slider("compareSlider", 0, _WHOLE)
        self._arrange()
        self._slider.valueChanged.connect(self._moved)
        self._halves.divided.connect(lambda share: self._slider.setValue(round(share * _WHOLE)))
        self._slider.setValue(_WHOLE // 2)

    def show_pictures(self, before: QImage, after: QImage, names: tuple[str, str]) -> None:
        """`names` say what each is, for the corners."""
        self._halves.show_pictures(before, after, names)
        self._slider.setValue(_WHOLE // 2)
        self._halves.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        """Esc is its own here, though it cancels the picture being drawn elsewhere."""
        overrides = event.type() == QEvent.Type.ShortcutOverride
        if overrides and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def share(self) -> float:
        """How much of the frame, from the left, shows the picture before."""
        return self._slider.value() / _WHOLE

    def _moved(self, value: int) -> None:
        self._halves.divide(value / _WHOLE)
        self._slider.setAccessibleDescription(self.tr("{0} % before").format(round(100 * value / _WHOLE)))

    def _arrange(self) -> None:
        self._slider.setAccessibleName(self.tr("Divider between before and after"))
        self._slider.setToolTip(self._slider.accessibleName())
        self._slider.setSingleStep(_STEP)
        self._slider.setPageStep(_LEAP)
        close = QToolButton()
        close.setObjectName("closeCompareButton")
        close.setAccessibleName(self.tr("Close the comparison"))
        close.setToolTip(close.accessibleName())
        name_icon(close, "close", "muted")
        close.clicked.connect(self.closed)
        row = QHBoxLayout()
        row.setContentsMargins(16, 4, 12, 4)
        row.setSpacing(8)
        row.addWidget(Label(self.tr("Before"), "small"))
        row.addWidget(self._slider, 1)
        row.addWidget(Label(self.tr("After"), "small"))
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._halves, 1)
        column.addLayout(row)


class Halves(QWidget):
    """Both pictures fill the same frame; wheel and middle button zoom and move them together."""

    divided = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Before and after"))
        self.setAccessibleDescription(self.tr("The arrow keys move the divider."))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 100)
        self._theme = theme
        self._images = (QImage(), QImage())
        self._fine = (FineImage(), FineImage())
        self._names = ("", "")
        self._share = 0.5
        self._view = Viewport(widget=QSizeF(self.size()), picture=QSizeF(0, 0))
        self._grabbed: QPointF | None = None

    def show_pictures(self, before: QImage, after: QImage, names: tuple[str, str]) -> None:
        self._images, self._names = (before, after), names
        self._view = Viewport(widget=QSizeF(self.size()), picture=QSizeF(after.size()))
        self.update()

    def divide(self, share: float) -> None:
        self._share = max(0.0, min(1.0, share))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        step = _LEAP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _STEP
        if key in _KEYS:
            self.divided.emit(max(0.0, min(1.0, self._share + _KEYS[key] * step / _WHOLE)))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.divided.emit(0.0 if key == Qt.Key.Key_Home else 1.0)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pull(event.position())
        self._grabbed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pull(event.position())
        elif self._grabbed is not None and event.buttons() & Qt.MouseButton.MiddleButton:
            self._view = self._view.panned(event.position() - self._grabbed)
            self._grabbed = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._view = self._view.fitted()
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._view = self._view.zoomed(1.2 ** (event.angleDelta().y() / 120), event.position())
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._view = replace(self._view, widget=QSizeF(self.size()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.canvas))
        target, seen = self._view.target, self._seen()
        if self._images[1].isNull():
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._view.scale < 4)
        divider = seen.left() + seen.width() * self._share
        parts = (seen.adjusted(0, 0, divider - seen.right(), 0), seen.adjusted(divider - seen.left(), 0, 0, 0))
        for image, fine, part in zip(self._images, self._fine, parts, strict=True):
            painter.setClipRect(part)
            painter.drawImage(target, fine.of(image, target.size() * self.devicePixelRatioF()))
        painter.setClipping(False)
        self._paint_divider(painter, divider, seen)
        self._paint_names(painter, seen, divider)

    def _seen(self) -> QRectF:
        """The part of the frame that is inside the widget."""
        return self._view.target.intersected(QRectF(self.rect()))

    def _pull(self, at: QPointF) -> None:
        seen = self._seen()
        if seen.width() > 0:
            self.divided.emit(max(0.0, min(1.0, (at.x() - seen.left()) / seen.width())))

    def _paint_divider(self, painter: QPainter, divider: float, seen: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for color, width in ((QColor(0, 0, 0, 140), 4.0), (QColor(255, 255, 255), 2.0)):
            painter.setPen(QPen(color, width))
            painter.drawLine(QPointF(divider, seen.top()), QPointF(divider, seen.bottom()))
        painter.setPen(QPen(QColor(self._theme.tokens.accent if self.hasFocus() else "#ffffff"), 2))
        painter.setBrush(QColor(0, 0, 0, 160))
        handle = QPointF(divider, seen.center().y())
        painter.drawEllipse(handle, _HANDLE, _HANDLE)
        painter.setPen(QPen(QColor(255, 255, 255), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for side in (-1, 1):
            tip = handle + QPointF(side * 6.5, 0)
            painter.drawLine(tip, tip + QPointF(-side * 3, -3))
            painter.drawLine(tip, tip + QPointF(-side * 3, 3))

    def _paint_names(self, painter: QPainter, seen: QRectF, divider: float) -> None:
        """In the upper corners, while there is room for them beside the divider."""
        painter.setFont(sized(self.font(), SMALL))
        metrics = painter.fontMetrics()
        for side, name in enumerate(self._names):
            room = (divider - seen.left() if side == 0 else seen.right() - divider) - 3 * 8
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(room) - 16)
            if room < 48 or not name:
                continue
            width = metrics.horizontalAdvance(text) + 16
            left = seen.left() + 8 if side == 0 else seen.right() - 8 - width
            box = QRectF(left, seen.top() + 8, width, metrics.height() + 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 160))
            painter.drawRoundedRect(box, CORNER, CORNER)
            painter.setPen(QColor(255, 255, 255))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
