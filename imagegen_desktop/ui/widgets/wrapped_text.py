"""Wrapped text for painters: breaks at words, and inside a word only when it is longer than the line."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QFont, QPainter, QTextLayout, QTextOption


def height(text: str, font: QFont, width: int) -> int:
    """How high `text` becomes in lines of `width` pixels."""
    layout = _laid_out(text, font, width)
    return int(layout.boundingRect().height() + 0.999)


def draw(painter: QPainter, rect: QRect, text: str) -> None:
    """Draws in the painter's font and pen; what does not fit into `rect` is cut off."""
    painter.save()
    painter.setClipRect(rect)
    _laid_out(text, painter.font(), rect.width()).draw(painter, QPointF(rect.topLeft()))
    painter.restore()


def _laid_out(text: str, font: QFont, width: int) -> QTextLayout:
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    top = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(1, width))
        line.setPosition(QPointF(0, top))
        top += line.height()
    layout.endLayout()
    return layout
