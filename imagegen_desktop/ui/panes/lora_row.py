"""One LoRA of the prompt pane: its weight, its trigger words to click, and the way out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from ...domain.model_card import ModelCard
from ...domain.request import LoraWeight
from ..icons import name_icon
from ..widgets.amounts import number
from ..widgets.fields import Slider
from ..widgets.flow_layout import FlowLayout
from ..widgets.labels import ElidedLabel, Label, WrappedLabel
from ..widgets.offered import offer

_MOST_WORDS = 8
#: Hundredths of the weight; what artists use lies within.
_LOW, _HIGH = -200, 200


class LoraRow(QWidget):
    """`missing` says why it does not act; it is then left out of requests."""

    changed = Signal()
    removed = Signal()
    word_chosen = Signal(str)

    def __init__(self, lora: LoraWeight, card: ModelCard | None, missing: str = "") -> None:
        super().__init__()
        self.name = lora.name
        self._text_weight = lora.text_weight
        self._weight = Slider("loraWeightSlider", _LOW, _HIGH)
        self._said = Label("", "small")
        self._reason = WrappedLabel("", "small")
        self._missing = missing
        self._name = ElidedLabel(card.title or card.name if card is not None else lora.name)
        self._weight.setAccessibleName(self.tr("Weight of {0}").format(lora.name))
        self._weight.setToolTip(self.tr("1 as it was trained, 0 not at all"))
        self._arrange(card)
        self._weight.valueChanged.connect(self._moved)
        self._weight.setValue(round(lora.weight * 100))
        self._moved(self._weight.value())
        self.show_missing(missing)

    def value(self) -> LoraWeight | None:
        """None while it cannot act."""
        if self._missing:
            return None
        return LoraWeight(name=self.name, weight=self._weight.value() / 100, text_weight=self._text_weight)

    def show_missing(self, reason: str) -> None:
        self._missing = reason
        offer(self._weight, reason)
        self._weight.setVisible(not reason)
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason))
        self._name.setEnabled(not reason)
        self._name.setToolTip(reason or self._name.text())

    def _moved(self, hundredths: int) -> None:
        self._said.setText(number(hundredths / 100, 2))
        self.changed.emit()

    def _arrange(self, card: ModelCard | None) -> None:
        remove = QToolButton()
        remove.setAccessibleName(self.tr("Take {0} off").format(self.name))
        remove.setToolTip(remove.accessibleName())
        name_icon(remove, "close", "muted")
        remove.clicked.connect(self.removed)
        head = QHBoxLayout()
        head.addWidget(self._name, 1)
        head.addWidget(self._said)
        head.addWidget(remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._weight)
        column.addWidget(self._reason)
        if card is not None and card.triggers:
            column.addLayout(self._words(card.triggers))

    def _words(self, triggers: tuple[str, ...]) -> FlowLayout:
        row = FlowLayout(spacing=4)
        for word in triggers[:_MOST_WORDS]:
            chip = QPushButton(word)
            chip.setProperty("kind", "link")
            chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            chip.setAccessibleName(self.tr("Put “{0}” into the prompt").format(word))
            chip.setToolTip(chip.accessibleName())
            chip.clicked.connect(lambda _=False, word=word: self.word_chosen.emit(word))
            row.addWidget(chip)
        return row
