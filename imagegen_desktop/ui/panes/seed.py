"""Seed: the number a picture grows from, or none for a new one every time."""

from __future__ import annotations

import secrets

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from ...domain.errors import BadInput
from ...domain.request import MAX_SEED
from ..icons import name_icon
from ..widgets.clear_button import add_clear_button
from ..widgets.fields import captioned
from ..widgets.offered import offer


class SeedEdit(QLineEdit):
    """Digits, or nothing."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        add_clear_button(self)
        self.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]{0,20}"), self))
        self.setPlaceholderText(self.tr("Random"))

    def show_value(self, seed: int | None) -> None:
        self.setText("" if seed is None else str(seed))

    def value(self) -> int | None:
        """Raises BadInput for one that is too large; None for a new one every time, or where there are none."""
        text = self.text().strip()
        if not text or not self.isEnabled():
            return None
        if not text.isdigit() or int(text) > MAX_SEED:
            raise BadInput("seed", text, f"a whole number from 0 to {MAX_SEED}")
        return int(text)


class Seed(QWidget):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._edit = SeedEdit("seedEdit")
        self._edit.setToolTip(self.tr("Empty draws a new seed for every picture"))
        self._dice = QToolButton()
        self._dice.setObjectName("randomSeedButton")
        self._dice.setAccessibleName(self.tr("Roll a new seed"))
        self._dice.setToolTip(self._dice.accessibleName())
        name_icon(self._dice, "dice")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(captioned(self.tr("Seed"), self._edit), 1)
        row.addWidget(self._dice, 0, Qt.AlignmentFlag.AlignBottom)
        self._dice.clicked.connect(self.roll)
        self._edit.textChanged.connect(self.changed)

    def show_value(self, seed: int | None) -> None:
        self._edit.show_value(seed)

    def roll(self) -> None:
        if self._edit.isEnabled():
            self.show_value(secrets.randbits(32))

    def value(self) -> int | None:
        """Raises BadInput for one that is too large; None for a new one every time, or where there are none."""
        return self._edit.value()

    def show_missing(self, reason: str) -> None:
        """Why there is no seed to choose; empty when there is."""
        offer(self._edit, reason)
        offer(self._dice, reason)
