"""Brush keys: what wheel and keyboard do to the brush while the canvas has the focus."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent

from .painting import PAINTING, Painting, Tool

GROWTH = 1.2
_HARDER = 0.1
_FAR = 8
_ARROWS = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}
_SIZES = {Qt.Key.Key_BracketLeft: 1 / GROWTH, Qt.Key.Key_BracketRight: GROWTH}
_HARDNESSES = {Qt.Key.Key_BraceLeft: -_HARDER, Qt.Key.Key_BraceRight: _HARDER}


class BrushKeys(QObject):
    """[ and ] or Ctrl and the wheel change the size, { and } or Shift and the wheel the hardness; letters choose a
    tool; the arrows move the brush, Space holds it down."""

    brush_wished = Signal(object)
    tool_wished = Signal(object)

    def __init__(self, painting: Painting, canvas: QObject) -> None:
        super().__init__(canvas)
        self._painting = painting
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._painting.mask() is None:
            return False
        if isinstance(event, QWheelEvent):
            return self._painting.tool in PAINTING and self._wheel(event)
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            return self._key(event, down=event.type() == QEvent.Type.KeyPress)
        return False

    def _wheel(self, event: QWheelEvent) -> bool:
        """Systems turn the wheel sideways while Shift is held."""
        turns = (event.angleDelta().y() or event.angleDelta().x()) / 120
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._size(GROWTH**turns)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._hardness(_HARDER * turns)
        else:
            return False
        return True

    def _key(self, event: QKeyEvent, *, down: bool) -> bool:
        key, letter = Qt.Key(event.key()), event.text().upper()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return False
        if key in _SIZES and down:
            self._size(_SIZES[key])
        elif key in _HARDNESSES and down:
            self._hardness(_HARDNESSES[key])
        elif letter and letter in set(Tool) and down:
            self.tool_wished.emit(Tool(letter))
        elif self._painting.tool in PAINTING and key in _ARROWS:
            if down:
                self._painting.move_to(self._painting.here() + _ARROWS[key] * (1 if shift else _FAR))
        elif self._painting.tool in PAINTING and key == Qt.Key.Key_Space:
            self._space(event, down=down)
        else:
            return False
        return True

    def _space(self, event: QKeyEvent, *, down: bool) -> None:
        if event.isAutoRepeat():
            return
        if down:
            self._painting.begin(self._painting.here())
            self._painting.move_to(self._painting.here())
        else:
            self._painting.end()

    def _size(self, factor: float) -> None:
        """At least one pixel more or less."""
        brush = self._painting.brush
        size = brush.size * factor
        size = max(size, brush.size + 1) if factor > 1 else min(size, brush.size - 1)
        self.brush_wished.emit(brush.sized(round(size)))

    def _hardness(self, change: float) -> None:
        brush = self._painting.brush
        self.brush_wished.emit(replace(brush, hardness=max(0.0, min(1.0, round(brush.hardness + change, 2)))))
