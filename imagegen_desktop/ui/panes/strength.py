"""Strength: how much of a dropped picture is drawn anew."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ..offer import Offer
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
        self._never = self._unmasked = ""
        self._masked = False
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

    def share(self) -> float | None:
        """None where it means nothing."""
        return self._slider.value() / 100 if self._slider.isEnabled() else None

    def show_masked(self, masked: bool) -> None:
        self._masked = masked
        self._offer()
        usual, other = (_INSIDE_A_MASK, _USUAL) if masked else (_USUAL, _INSIDE_A_MASK)
        if self._slider.value() == other:
            self._slider.setValue(usual)

    def show_offer(self, offered: Offer) -> None:
        """What the chosen model cannot do says so."""
        itself = self.tr("{0} decides itself how much it changes.").format(offered.title)
        self._never = itself if "strength" in offered.missing else ""
        only_looks = self.tr("{0} looks at the picture and draws a new one; strength counts inside a mask.")
        self._unmasked = only_looks.format(offered.title) if offered.image_is_reference else ""
        self._offer()

    def _offer(self) -> None:
        offer(self._slider, self._never or ("" if self._masked else self._unmasked))

    def _moved(self, percent: int) -> None:
        self._said.setText(f"{percent} %")
        self.changed.emit()
