"""Strength: how much of a dropped picture is drawn anew."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ..widgets.fields import Slider
from ..widgets.labels import Label
from ..widgets.offered import offer

_USUAL, _INSIDE_A_MASK = 60, 100


class Strength(QWidget):
    """A slider from 0 (the picture stays) to 100 % (a new one); where the artist has not moved it, it follows the
    mask."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._slider = Slider("strengthSlider", 0, 100)
        self._slider.setAccessibleName(self.tr("Strength"))
        self._slider.setToolTip(self.tr("0 % keeps the picture, 100 % draws a new one"))
        self._said = Label("", "small")
        caption = Label(self.tr("Change to the picture"), "small")
        caption.setBuddy(self._slider)
        head = QHBoxLayout()
        head.addWidget(caption)
        head.addStretch()
        head.addWidget(self._said)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._slider)
        self._said.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._slider.valueChanged.connect(self._moved)
        self._slider.setValue(_USUAL)

    def share(self) -> float:
        return self._slider.value() / 100

    def show_share(self, share: float) -> None:
        self._slider.setValue(round(share * 100))

    def show_masked(self, masked: bool) -> None:
        usual, other = (_INSIDE_A_MASK, _USUAL) if masked else (_USUAL, _INSIDE_A_MASK)
        if self._slider.value() == other:
            self._slider.setValue(usual)

    def show_missing(self, reason: str) -> None:
        """Why it cannot be chosen; empty when it can."""
        offer(self._slider, reason)

    def _moved(self, percent: int) -> None:
        self._said.setText(f"{percent} %")
        self.changed.emit()
