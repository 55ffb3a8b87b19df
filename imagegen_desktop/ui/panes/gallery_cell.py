"""One cell of the gallery: the middle square of a thumbnail, its rating, and whether it is chosen."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap

from ..icons import pixmap as icon_pixmap
from ..tokens import CORNER, Tokens

GAP = 8
_STAR = 12
_STAR_COLOR = "#ffd76a"
_BEHIND_STARS = QColor(0, 0, 0, 150)


@dataclass(frozen=True, kw_only=True)
class CellState:
    selected: bool = False
    focused: bool = False
    rating: int = 0


def paint_cell(painter: QPainter, rect: QRect, picture: QPixmap | None, state: CellState, tokens: Tokens) -> None:
    """`picture` is None while it is on its way, and null when the image cannot be read."""
    frame = QRectF(rect)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    shape = QPainterPath()
    shape.addRoundedRect(frame, CORNER, CORNER)
    painter.fillPath(shape, QColor(tokens.raised))
    if picture is not None and not picture.isNull():
        painter.save()
        painter.setClipPath(shape)
        painter.drawPixmap(frame, picture, _square(picture))
        painter.restore()
    elif picture is not None:
        sign = icon_pixmap("alert", tokens.muted, 20, painter.device().devicePixelRatio())
        painter.drawPixmap(frame.center() - QPoint(10, 10), sign)
    _paint_rating(painter, state.rating, frame)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state.selected:
        painter.setPen(QPen(QColor(tokens.accent), 3))
        painter.drawRoundedRect(frame.adjusted(1.5, 1.5, -1.5, -1.5), CORNER, CORNER)
    if state.focused:
        painter.setPen(QPen(QColor("#ffffff"), 1))
        painter.drawRoundedRect(frame.adjusted(3.5, 3.5, -3.5, -3.5), CORNER - 2, CORNER - 2)


def _paint_rating(painter: QPainter, rating: int, frame: QRectF) -> None:
    if not rating:
        return
    star = icon_pixmap("star-filled", _STAR_COLOR, _STAR, painter.device().devicePixelRatio())
    back = QRectF(frame.left() + 5, frame.bottom() - 21, (_STAR + 1) * rating + 5, 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BEHIND_STARS)
    painter.drawRoundedRect(back, CORNER, CORNER)
    for place in range(rating):
        painter.drawPixmap(QPoint(int(back.left()) + 3 + (_STAR + 1) * place, int(back.top()) + 2), star)


def _square(picture: QPixmap) -> QRectF:
    side = min(picture.width(), picture.height())
    return QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
