"""Painting: tools on the canvas that change the mask — by mouse, pen or keyboard."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QCursor, QMouseEvent, QPainter, QTabletEvent

from ..theme import Theme
from .mask import Brush, Mask
from .mask_look import circle, outline, paint_outline, paint_tint
from .view import Canvas
from .viewport import Viewport


class Tool(StrEnum):
    """The value is the key that chooses it while the canvas has the focus."""

    HAND = "H"
    BRUSH = "B"
    ERASER = "E"
    LASSO = "L"
    RECTANGLE = "M"
    EXTEND = "X"


BRUSHES = frozenset({Tool.BRUSH, Tool.ERASER})
REGIONS = frozenset({Tool.LASSO, Tool.RECTANGLE})
PAINTING = BRUSHES | REGIONS


class Painting(QObject):
    """Takes the left button while a painting tool is chosen; the wheel and the middle button stay the canvas's own.

    `stroke_finished` is told once for each stroke, with its name for Undo.
    """

    stroke_finished = Signal(str)

    def __init__(self, canvas: Canvas, theme: Theme) -> None:
        super().__init__(canvas)
        self.tool = Tool.HAND
        self.brush = Brush()
        self._canvas = canvas
        self._theme = theme
        self._mask: Mask | None = None
        self._at: QPointF | None = None
        self._last: QPointF | None = None
        self._points: list[QPointF] = []
        self._drawing = False
        self._pressure = 1.0
        canvas.installEventFilter(self)
        canvas.overlays.append(self._paint)

    def mask(self) -> Mask | None:
        return self._mask

    def is_drawing(self) -> bool:
        """Whether a stroke is under way."""
        return self._drawing

    def show_mask(self, mask: Mask | None) -> None:
        """The mask of the picture on the canvas; None while another picture is there."""
        self._mask = mask
        self._last = None
        self.choose(self.tool)

    def choose(self, tool: Tool) -> None:
        self.tool, self._drawing, self._points = tool, False, []
        if self._mask is None or tool not in PAINTING:
            self._canvas.unsetCursor()
        else:  # a brush shows itself
            shape = Qt.CursorShape.BlankCursor if tool in BRUSHES else Qt.CursorShape.CrossCursor
            self._canvas.setCursor(QCursor(shape))
        self._canvas.update()

    def show_brush(self, brush: Brush) -> None:
        self._update_circle()
        self.brush = brush
        self._update_circle()

    def apply(self, deed: str) -> None:
        """`deed` is fill, clear or invert."""
        if self._mask is None:
            return
        if deed == "fill":
            changed, said = self._mask.fill(), self.tr("Fill the mask")
        elif deed == "clear":
            changed, said = self._mask.clear(), self.tr("Clear the mask")
        else:
            changed, said = self._mask.invert(), self.tr("Invert the mask")
        self._update(changed)
        self.stroke_finished.emit(said)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._mask is None or self.tool not in PAINTING:
            return False
        if isinstance(event, QTabletEvent | QMouseEvent):
            return self._pointer(event)
        if event.type() == QEvent.Type.Leave:
            self.move_to(None)
        return False

    # ---- strokes ------------------------------------------------------------------------------------------

    def here(self) -> QPointF:
        """Where the brush is, in picture pixels; the middle before it was anywhere."""
        return self._at or QRectF(QPointF(), self._canvas.view.picture).center()

    def begin(self, at: QPointF, *, straight: bool = False) -> None:
        """Puts the brush down; `straight` draws a line from where the last stroke ended."""
        start = self._last if straight and self._last is not None else at
        self._drawing, self._points = True, [at]
        self._stroke(start, at)

    def move_to(self, at: QPointF | None) -> None:
        """None: the pointer is elsewhere."""
        self._update_circle()
        self._at = at
        self._update_circle()
        if not self._drawing or at is None:
            return
        if self.tool in REGIONS:
            self._points.append(at)
            self._canvas.update()
        else:
            self._stroke(self._last or at, at)

    def end(self) -> None:
        """Lifts the brush: one stroke, one thing to undo."""
        points, self._points = self._points, []
        drawn, self._drawing = self._drawing, False
        if not drawn or self._mask is None:
            return
        if self.tool in REGIONS:
            self._canvas.update()
            if len(points) < 2:
                return
            self._mask.region(outline(points, rectangle=self.tool is Tool.RECTANGLE), self.brush)
        erases = self.tool is Tool.ERASER
        self.stroke_finished.emit(self.tr("Erase from the mask") if erases else self.tr("Paint the mask"))

    def _stroke(self, start: QPointF, end: QPointF) -> None:
        self._last = end
        if self._mask is not None and self.tool in BRUSHES:
            brush = replace(self.brush, erases=self.tool is Tool.ERASER)
            self._update(self._mask.stroke(start, end, brush, self._pressure))

    def _pointer(self, event: QTabletEvent | QMouseEvent) -> bool:
        """A pen paints with its pressure; its events are taken, so that no mouse repeats them."""
        kind, types = event.type(), QEvent.Type
        at = self._canvas.view.to_picture(event.position())
        if isinstance(event, QTabletEvent) and kind != types.TabletRelease:
            self._pressure = max(0.05, event.pressure()) if event.pressure() else 1.0
        elif kind == types.MouseButtonPress:
            self._pressure = 1.0
        left = event.button() == Qt.MouseButton.LeftButton
        if kind in (types.MouseButtonPress, types.MouseButtonDblClick, types.TabletPress) and left:
            self._canvas.setFocus(Qt.FocusReason.MouseFocusReason)
            self.begin(at, straight=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
            return True
        if kind in (types.MouseMove, types.TabletMove):
            self.move_to(at)
            return self._drawing
        if kind in (types.MouseButtonRelease, types.TabletRelease) and left and self._drawing:
            self.end()
            return True
        return False

    # ---- what is seen -------------------------------------------------------------------------------------

    def _update(self, part: QRect) -> None:
        """Repaints what shows that part of the picture, and nothing else."""
        if not part.isEmpty():
            self._canvas.update(self._canvas.view.to_widget(QRectF(part)).toAlignedRect().adjusted(-2, -2, 2, 2))

    def _update_circle(self) -> None:
        if self._at is not None:
            around = self._canvas.view.to_widget(circle(self._at, self._diameter()).boundingRect())
            self._canvas.update(around.toAlignedRect().adjusted(-3, -3, 3, 3))

    def _diameter(self) -> float:
        return max(4.0 / self._canvas.view.scale, self.brush.size * self._pressure)

    def _paint(self, painter: QPainter, view: Viewport, exposed: QRect) -> None:
        if self._mask is None:
            return
        paint_tint(painter, view, exposed, self._mask, QColor(self._theme.tokens.mask))
        if self.tool in REGIONS and self._points:
            path = outline(self._points, rectangle=self.tool is Tool.RECTANGLE)
            paint_outline(painter, view, path, dashed=True)
        elif self.tool in BRUSHES and self._at is not None:
            paint_outline(painter, view, circle(self._at, self._diameter()), dashed=False)
