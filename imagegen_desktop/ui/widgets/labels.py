"""Labels that never guess HTML, and the few tones of voice they have."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class Label(QLabel):
    """A plain-text label. `tone`: body, muted, small, section, title or headline."""

    def __init__(self, text: str = "", tone: str = "body", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("tone", tone)
        self.setText(text)


class WrappedLabel(Label):
    """A label that breaks its lines, at any length of word."""

    def __init__(self, text: str = "", tone: str = "body", parent: QWidget | None = None) -> None:
        super().__init__(text, tone, parent)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)


class ElidedLabel(Label):
    """A one-line label that ends in … when there is no room, or says the same in fewer words."""

    def __init__(self, text: str = "", tone: str = "body", parent: QWidget | None = None) -> None:
        super().__init__(text, tone, parent)
        self._shorter: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        self.say(text)

    def say(self, text: str, *shorter: str) -> None:
        """`shorter` are ways to say it in less room, the longest first."""
        self._shorter = shorter
        super().setText(text)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        metrics = self.fontMetrics()
        ways = (self.text(), *self._shorter)
        fitting = next((text for text in ways if metrics.horizontalAdvance(text) <= self.width()), ways[-1])
        shown = metrics.elidedText(fitting, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(self.alignment()), shown)
