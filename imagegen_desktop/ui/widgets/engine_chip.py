"""EngineChip: how the engines are, in three words for each and a dot."""

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
_WORST_FIRST = ("failed", "restarting", "starting", "busy", "ready", "stopped")
_SHOWN = 3


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
    """An engine beside the first is shown once it was needed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("engineChip")
        self._statuses: dict[int, EngineStatus] = {}
        self._dot = _Dot(theme)
        self._text = Label()
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 12, 5)
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(self._text)
        self.show_status(EngineStatus(state="starting"))

    def show_status(self, status: EngineStatus) -> None:
        """How one of the engines is now."""
        self._statuses[status.number] = status
        shown = [known for number, known in sorted(self._statuses.items()) if number == 0 or known.state != "stopped"]
        worst = min((known.state for known in shown), key=_WORST_FIRST.index)
        self._dot.show_role(_ROLES[worst])
        words = [self._words(known, len(shown) > 1) for known in shown]
        self._text.setText("   ".join(words) if len(words) <= _SHOWN else self._summary(shown))
        details = [known.message or known.device_name or said for known, said in zip(shown, words, strict=True)]
        self.setToolTip(details[0] if len(shown) == 1 else "\n".join(map("{} — {}".format, words, details)))
        self.setAccessibleName(self.tr("Engine: {0}").format(self._text.text()))

    def text(self) -> str:
        return self._text.text()

    def _summary(self, shown: list[EngineStatus]) -> str:
        drawing = sum(status.state == "busy" for status in shown)
        return self.tr("{0} engines · {1} drawing").format(len(shown), drawing)

    def _words(self, status: EngineStatus, several: bool) -> str:
        on_gpu = status.device.startswith("cuda")
        device = "GPU" if on_gpu else "CPU"
        if several:  # the GPUs are told apart by their own numbers
            device += f" {status.device.partition(':')[2]}" if on_gpu else f" {status.number}"
        states = {
            "ready": self.tr("{0} · ready").format(device),
            "busy": self.tr("{0} · drawing").format(device),
            "starting": self.tr("Engine is starting…"),
            "restarting": self.tr("Engine is restarting…"),
            "failed": self.tr("Engine failed"),
            "stopped": self.tr("Engine is off"),
        }
        words = states.get(status.state, status.state)
        if on_gpu and status.memory_total:
            words += f" · {size(status.memory_used)} / {size(status.memory_total)}"
        return words
