"""The style section of the prompt pane: its caption, the cards, and the switch between some and all."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ...domain.style import StylePreset
from ..theme import Theme
from .style_cards import LoadPicture, StyleCards
from .titled import titled


class StylePicker(QWidget):
    style_chosen = Signal(str)

    def __init__(self, theme: Theme, load: LoadPicture) -> None:
        super().__init__()
        self._cards = StyleCards(theme, load)
        self._more = QPushButton()
        self._more.setProperty("kind", "link")
        self._more.setCheckable(True)
        self._more.setAccessibleName(self.tr("Show all styles"))
        self._more.toggled.connect(self._toggle)
        self._cards.style_chosen.connect(self.style_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(titled(self.tr("Style"), self._more))
        column.addWidget(self._cards)
        self._name_switch()

    def show_styles(self, styles: list[StylePreset], chosen: str = "") -> None:
        self._cards.show_styles(styles)
        if chosen:
            self._cards.choose(chosen)
        self._name_switch()

    def choose(self, name: str) -> None:
        self._cards.choose(name)

    def chosen(self) -> str:
        return self._cards.chosen()

    def preset(self) -> StylePreset:
        return self._cards.preset()

    def _toggle(self, everything: bool) -> None:
        self._cards.show_all(everything)
        self._name_switch()

    def _name_switch(self) -> None:
        everything = self.tr("Show all {0}").format(self._cards.model().rowCount())
        self._more.setText(self.tr("Show fewer") if self._more.isChecked() else everything)
