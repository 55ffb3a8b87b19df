"""Begin: the one main button, what it will take, and why it might not go through."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from ..icons import name_icon
from ..widgets.keys import keys
from ..widgets.labels import ElidedLabel
from ..widgets.message_bar import MessageBar


class Begin(QWidget):
    """`health` says how the chosen provider is, `messages` what was wrong with the last wish."""

    generate_requested = Signal()
    cancel_requested = Signal()
    sheet_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._generate = QPushButton(self.tr("Generate"))
        self._cancel = QPushButton(self.tr("Cancel"))
        self._sheet = QToolButton()
        self._forecast = ElidedLabel("", "small")
        self.messages = MessageBar()
        self.health = MessageBar()
        self._prepare()
        self._arrange()
        self._generate.clicked.connect(self.generate_requested)
        self._cancel.clicked.connect(self.cancel_requested)
        self._sheet.clicked.connect(self.sheet_requested)

    def show_ready(self, ready: bool) -> None:
        self._generate.setEnabled(ready)
        self._sheet.setEnabled(ready)

    def show_busy(self, running: bool) -> None:
        self._cancel.setEnabled(running)

    def show_forecast(self, line: str, details: str = "") -> None:
        """How long it will take and what it will cost; `details` are what has to be changed for the model."""
        self._forecast.setText(line)
        self._forecast.setToolTip(details)
        self._forecast.setAccessibleDescription(details)

    def _prepare(self) -> None:
        self.setObjectName("beginBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._generate.setObjectName("generateButton")
        self._generate.setProperty("kind", "main")
        self._generate.setAccessibleName(self.tr("Generate"))
        now = self.tr("Generate now, before everything else ({0})").format(keys("Ctrl+Shift+Return"))
        self._generate.setToolTip("\n".join((self.tr("Generate ({0})").format(keys("Ctrl+Return")), now)))
        name_icon(self._generate, "generate", "on_accent")
        self._cancel.setObjectName("cancelButton")
        self._cancel.setAccessibleName(self.tr("Cancel"))
        self._cancel.setToolTip(self.tr("Stop the picture being drawn (Esc)"))
        self._cancel.setEnabled(False)
        self._sheet.setObjectName("sheetButton")
        self._sheet.setAccessibleName(self.tr("Contact sheet…"))
        tip = self.tr("Contact sheet: many seeds for a few steps, finish the good ones ({0})")
        self._sheet.setToolTip(tip.format(keys("Ctrl+Shift+S")))
        name_icon(self._sheet, "gallery")
        self._forecast.setObjectName("forecastLine")

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._generate, 1)
        buttons.addWidget(self._sheet)
        buttons.addWidget(self._cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        column.addLayout(buttons)
        column.addWidget(self._forecast)
        column.addWidget(self.health)
        column.addWidget(self.messages)
