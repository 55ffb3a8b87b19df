"""Additions: LoRAs, another VAE and ControlNets, added from the library, greyed out where the model takes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from ...domain.model_card import CONTROLNET, EMBEDDING, LORA, VAE, ModelCard
from ...domain.request import Control, GenerationRequest, LoraWeight
from ...services.additions import fits
from ..icons import name_icon
from ..offer import Offer
from ..theme import Theme
from ..widgets.fields import Choice, captioned, section
from ..widgets.offered import offer
from .control_row import ControlRow
from .lora_row import LoraRow

Cards = Mapping[str, Sequence[ModelCard]]


class Additions(QWidget):
    """What is shown is kept when the model changes; what the new one cannot take is left out and says why."""

    changed = Signal()
    word_chosen = Signal(str)
    picture_wanted = Signal(object)
    picture_dropped = Signal(object, object)
    look_wanted = Signal(object, object, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._cards: Cards = {}
        self._offer: Offer | None = None
        self._loras: list[LoraRow] = []
        self._controls: list[ControlRow] = []
        self._add_lora = self._adder(self.tr("Add a LoRA"))
        self._add_control = self._adder(self.tr("Add a ControlNet"))
        self._lora_menu = QMenu(self)
        self._vae = Choice("vaeCombo")
        self._lora_rows, self._control_rows = QVBoxLayout(), QVBoxLayout()
        self._vae_field = captioned(self.tr("VAE"), self._vae)
        self._arrange()
        self._vae.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._add_control.clicked.connect(self.add_control)
        self._update()

    def values(self) -> dict[str, Any]:
        """What a request needs of this."""
        loras, controls = [row.value() for row in self._loras], [row.value() for row in self._controls]
        return {
            "loras": tuple(lora for lora in loras if lora is not None and self._takes(LORA)),
            "vae": self._vae.currentData() if self._takes(VAE) else None,
            "controls": tuple(each for each in controls if each is not None and self._takes(CONTROLNET)),
        }

    def show_library(self, cards: Cards) -> None:
        """The cards of each kind."""
        self._cards = cards
        self._show_vaes(self._vae.currentData())
        self._update()

    def show_offer(self, offered: Offer) -> None:
        """What the chosen model takes."""
        self._offer = offered
        self._update()

    def show_request(self, request: GenerationRequest) -> None:
        """Takes over what was added to another picture."""
        for row in (*self._loras, *self._controls):
            self._remove(row)
        for lora in request.loras:
            self._show_lora(lora)
        for control in request.controls:
            self._new_control(control)
        self._show_vaes(request.vae)
        self._update()

    def add_control(self) -> None:
        """An empty one, for the artist to fill."""
        self._new_control()
        self.changed.emit()

    # ---- LoRAs --------------------------------------------------------------------------------------------

    def _show_lora(self, lora: LoraWeight) -> None:
        card = next((card for card in self._cards.get(LORA, ()) if card.name == lora.name), None)
        row = LoraRow(lora, card)
        row.word_chosen.connect(self.word_chosen)
        self._insert(row, self._loras, self._lora_rows)

    def _fill_menu(self) -> None:
        self._lora_menu.clear()
        for card in self._cards.get(LORA, ()):
            entry = self._lora_menu.addAction(card.title or card.name)
            reason = self._misfit(card)
            entry.setEnabled(not reason)
            entry.setToolTip(reason)
            entry.triggered.connect(lambda _=False, name=card.name: self._chosen(name))
        words = self._cards.get(EMBEDDING, ()) if self._takes(EMBEDDING) else ()
        if words:
            self._lora_menu.addSection(self.tr("Embeddings, as words of the prompt"))
        for card in words:
            entry = self._lora_menu.addAction(card.name)
            entry.setEnabled(not self._misfit(card))
            entry.setToolTip(self._misfit(card))
            entry.triggered.connect(lambda _=False, name=card.name: self.word_chosen.emit(name))

    def _chosen(self, name: str) -> None:
        if not any(row.name == name for row in self._loras):
            self._show_lora(LoraWeight(name=name))
            self._update()
            self.changed.emit()

    def _misfit(self, card: ModelCard) -> str:
        model = self._offer.card if self._offer is not None else None
        if model is None or fits(card, model):
            return card.missing
        return self.tr("{0} was made for another kind of model.").format(card.title or card.name)

    # ---- VAE and ControlNets ------------------------------------------------------------------------------

    def _show_vaes(self, chosen: str | None) -> None:
        self._vae.blockSignals(True)
        self._vae.clear()
        self._vae.addItem(self.tr("Model’s own"), None)
        for card in self._cards.get(VAE, ()):
            self._vae.addItem(card.title or card.name, card.name)
        self._vae.setCurrentIndex(max(0, self._vae.findData(chosen)))
        self._vae.blockSignals(False)

    def _new_control(self, control: Control | None = None) -> None:
        row = ControlRow({card.name: card.title or card.name for card in self._cards.get(CONTROLNET, ())})
        row.picture_wanted.connect(lambda: self.picture_wanted.emit(row))
        row.picture_dropped.connect(lambda picture: self.picture_dropped.emit(row, picture))
        row.look_wanted.connect(lambda source, how: self.look_wanted.emit(row, source, how))
        if control is not None:
            row.show_control(control)
        self._insert(row, self._controls, self._control_rows)

    # ---- all ----------------------------------------------------------------------------------------------

    def _insert(self, row: LoraRow | ControlRow, rows: list[Any], column: QVBoxLayout) -> None:
        rows.append(row)
        column.addWidget(row)
        row.changed.connect(self.changed)
        row.removed.connect(lambda: self._taken_off(row))
        self._theme.dress(row)

    def _taken_off(self, row: QWidget) -> None:
        self._remove(row)
        self._update()
        self.changed.emit()

    def _remove(self, row: QWidget) -> None:
        self._loras = [each for each in self._loras if each is not row]
        self._controls = [each for each in self._controls if each is not row]
        row.hide()
        row.deleteLater()

    def _takes(self, kind: str) -> bool:
        return self._offer is not None and kind in self._offer.additions

    def _reason(self, kind: str, title: str, words: str) -> str:
        """Why none can be added; empty when one can."""
        if not self._takes(kind):
            return words.format(title)
        there = self._cards.get(kind) or (kind == LORA and self._cards.get(EMBEDDING))
        return "" if there else self.tr("There is none yet: drop its file on the window.")

    def _update(self) -> None:
        title = self._offer.title if self._offer is not None else self.tr("No model yet")
        offer(self._add_lora, self._reason(LORA, title, self.tr("{0} takes no LoRAs.")))
        offer(self._add_control, self._reason(CONTROLNET, title, self.tr("{0} takes no ControlNets.")))
        offer(self._vae, self._reason(VAE, title, self.tr("{0} takes no other VAE.")))
        self._fill_menu()
        known = {card.name: card for card in self._cards.get(LORA, ())}
        for row in self._loras:
            absent = self.tr("{0} is not in the library.").format(row.name)
            row.show_missing(self._misfit(known[row.name]) if row.name in known else absent)

    def _adder(self, name: str) -> QToolButton:
        button = QToolButton()
        button.setAccessibleName(name)
        button.setToolTip(name)
        name_icon(button, "plus", "muted")
        return button

    def _arrange(self) -> None:
        self._add_lora.setObjectName("addLoraButton")
        self._add_control.setObjectName("addControlButton")
        self._lora_menu.setToolTipsVisible(True)
        self._add_lora.setMenu(self._lora_menu)
        self._add_lora.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for title, button, rows in (
            (self.tr("LoRAs"), self._add_lora, self._lora_rows),
            (self.tr("ControlNets"), self._add_control, self._control_rows),
        ):
            head = QHBoxLayout()
            head.addWidget(section(title))
            head.addStretch()
            head.addWidget(button)
            rows.setSpacing(8)
            column.addLayout(head)
            column.addLayout(rows)
        column.addWidget(self._vae_field)
