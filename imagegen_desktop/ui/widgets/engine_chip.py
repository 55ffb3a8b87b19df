"""EngineChip: how the engine is, in three words and a dot."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from ...domain.engine_status import EngineStatus
from ..theme import Theme
from .amounts import size
from .labels import Label

_ROLES = {
    "ready": "good",
    "busy": "accent_text",
    "starting": "warning",
    "restarting": "warning",
    "failed": "error",
    "stopped": "muted",
}


class _Dot(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._role = "muted"
        self.setFixedSize(QSize(8, 8))

    def show_role(self, role: str) -> None:
        self._role = role
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(self._theme.tokens, self._role)))
        painter.drawEllipse(QRectF(self.rect()))


class EngineChip(QFrame):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("engineChip")
        self._dot = _Dot(theme)
        self._text = Label()
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 12, 5)
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(self._text)
        self.show_status(EngineStatus(state="starting"))

    def show_status(self, status: EngineStatus) -> None:
        self._dot.show_role(_ROLES.get(status.state, "muted"))
        self._text.setText(self._words(status))
        self.setToolTip(status.message or status.device_name or self._text.text())
        self.setAccessibleName(self.tr("Engine: {0}").format(self._text.text()))

    def text(self) -> str:
        return self._text.text()

    def _words(self, status: EngineStatus) -> str:
        device = "GPU" if status.device.startswith("cuda") else "CPU"
        states = {
            "ready": self.tr("{0} · ready").format(device),
            "busy": self.tr("{0} · drawing").format(device),
            "starting": self.tr("Engine is starting…"),
            "restarting": self.tr("Engine is restarting…"),
            "failed": self.tr("Engine failed"),
            "stopped": self.tr("Engine is off"),
        }
        words = states.get(status.state, status.state)
        if device == "GPU" and status.memory_total:
            words += f" · {size(status.memory_used)} / {size(status.memory_total)}"
        return words
