"""The frame: a picture on the canvas is extended by pulling its edges outwards."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath

from ...domain.outpainting import Sides
from ..theme import Theme, sized
from ..tokens import CORNER, SMALL
from .mask_look import paint_outline
from .painting import Tool
from .view import Canvas
from .viewport import Viewport

#: How near to an edge, in widget pixels, it can be taken hold of.
_REACH = 14
_HANDLE = QSizeF(6, 40)
_EDGES = ("left", "top", "right", "bottom")


class Frame(QObject):
    """Takes the left button near the picture's edges while the tool for it is chosen."""

    extend_requested = Signal(object)

    def __init__(self, canvas: Canvas, theme: Theme) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._theme = theme
        self._active = False
        self._possible = False
        self._multiple = 8
        self._edge = ""
        self._sides = Sides()
        canvas.installEventFilter(self)
        canvas.overlays.append(self._paint)

    def choose(self, tool: Tool) -> None:
        was, self._active = self._active, tool is Tool.EXTEND
        self._edge, self._sides = "", Sides()
        if was != self._active:
            self._canvas.fit(margin=96 if self._active else 24)
        self._canvas.update()

    def show_possible(self, possible: bool) -> None:
        """Whether the picture to start from is the one on the canvas."""
        self._possible = possible

    def show_multiple(self, multiple: int) -> None:
        """In steps of how many pixels the chosen model's pictures grow."""
        self._multiple = multiple

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not (self._active and self._possible and isinstance(event, QMouseEvent)):
            return False
        kind, left = event.type(), event.button() == Qt.MouseButton.LeftButton
        if kind == QEvent.Type.MouseButtonPress and left:
            self._edge = self._edge_at(event.position())
            return bool(self._edge)
        if kind == QEvent.Type.MouseMove:
            if self._edge:
                self._pull(event.position())
            elif not event.buttons():
                self._point(self._edge_at(event.position()))
            return bool(self._edge)
        if kind == QEvent.Type.MouseButtonRelease and left and self._edge:
            self._let_go()
            return True
        return False

    def _let_go(self) -> None:
        sides, self._sides, self._edge = self._sides, Sides(), ""
        self._canvas.update()
        if sides:
            self.extend_requested.emit(sides)

    def _pull(self, at: QPointF) -> None:
        """Whole steps outwards; inwards nothing."""
        point, picture = self._canvas.view.to_picture(at), self._canvas.view.picture
        beyond = {
            "left": -point.x(),
            "top": -point.y(),
            "right": point.x() - picture.width(),
            "bottom": point.y() - picture.height(),
        }[self._edge]
        steps = max(0, round(beyond / self._multiple))
        self._sides = replace(Sides(), **{self._edge: steps * self._multiple})
        self._canvas.update()

    def _edge_at(self, at: QPointF) -> str:
        target = self._canvas.view.target
        if not target.adjusted(-_REACH, -_REACH, _REACH, _REACH).contains(at):
            return ""
        distances = {
            "left": abs(at.x() - target.left()),
            "top": abs(at.y() - target.top()),
            "right": abs(at.x() - target.right()),
            "bottom": abs(at.y() - target.bottom()),
        }
        nearest = min(distances, key=lambda edge: distances[edge])
        return nearest if distances[nearest] <= _REACH else ""

    def _point(self, edge: str) -> None:
        if not edge:
            self._canvas.unsetCursor()
        else:
            across = edge in ("left", "right")
            self._canvas.setCursor(Qt.CursorShape.SizeHorCursor if across else Qt.CursorShape.SizeVerCursor)

    def _paint(self, painter: QPainter, view: Viewport, exposed: QRect) -> None:
        if not (self._active and self._possible):
            return
        sides, size = self._sides, view.picture
        whole = QRectF(QPointF(-sides.left, -sides.top), QSizeF(*sides.size_of(int(size.width()), int(size.height()))))
        path = QPainterPath()
        path.addRect(whole)
        paint_outline(painter, view, path, dashed=True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.accent))
        outer = view.to_widget(whole)
        for edge in _EDGES:
            painter.drawRoundedRect(_handle(outer, edge), 3, 3)
        if sides:
            self._say(painter, outer, f"{int(whole.width())} × {int(whole.height())}")

    def _say(self, painter: QPainter, outer: QRectF, text: str) -> None:
        """The new size, in the middle of the frame."""
        painter.setFont(sized(self._canvas.font(), SMALL))
        box = QRectF(painter.fontMetrics().boundingRect(text)).adjusted(-8, -4, 8, 4)
        box.moveCenter(outer.center())
        painter.setBrush(QColor(self._theme.tokens.panel))
        painter.drawRoundedRect(box, CORNER, CORNER)
        painter.setPen(QColor(self._theme.tokens.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _handle(outer: QRectF, edge: str) -> QRectF:
    across = edge in ("left", "right")
    handle = QRectF(QPointF(), _HANDLE if across else _HANDLE.transposed())
    middle = outer.center()
    points = {
        "left": QPointF(outer.left(), middle.y()),
        "top": QPointF(middle.x(), outer.top()),
        "right": QPointF(outer.right(), middle.y()),
        "bottom": QPointF(middle.x(), outer.bottom()),
    }
    handle.moveCenter(points[edge])
    return handle
