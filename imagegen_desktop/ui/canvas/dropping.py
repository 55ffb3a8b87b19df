"""What can be dropped on the canvas, and how the canvas says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRect, QRectF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage, QPainter, QPen

from ...formats.kinds import looks_like_weights
from ..theme import sized
from ..tokens import CORNER, TITLE, Tokens


def droppable(event: QDropEvent) -> bool:
    """A folder or a checkpoint is for the window behind."""
    mime = event.mimeData()
    return mime.hasImage() or _picture_file(mime.urls()) is not None


def dropped(event: QDropEvent) -> Path | QImage | None:
    """The file or the picture itself that was dropped."""
    mime = event.mimeData()
    file = _picture_file(mime.urls())
    if file is not None:
        return file
    image = mime.imageData()
    return image if isinstance(image, QImage) and not image.isNull() else None


def paint_hint(painter: QPainter, rect: QRect, tokens: Tokens, said: str) -> None:
    """A veil over everything, with a frame and a sentence."""
    veil = QColor(tokens.canvas)
    veil.setAlphaF(0.8)
    painter.fillRect(rect, veil)
    painter.setPen(QPen(QColor(tokens.accent), 2, Qt.PenStyle.DashLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(rect).adjusted(12, 12, -12, -12), 2 * CORNER, 2 * CORNER)
    painter.setPen(QColor(tokens.text))
    painter.setFont(sized(painter.font(), TITLE, bold=True))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, said)


def _picture_file(urls: Sequence[QUrl]) -> Path | None:
    files = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return next((file for file in files if not looks_like_weights(file.name) and not file.is_dir()), None)
