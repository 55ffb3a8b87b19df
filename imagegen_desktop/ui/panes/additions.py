"""Additions: LoRAs, ControlNets, IP-Adapters and a VAE from the library, greyed out where the model takes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from ...domain.model_card import CONTROLNET, EMBEDDING, IP_ADAPTER, LORA, VAE, ModelCard
from ...domain.request import GenerationRequest, LoraWeight
from ...services.additions import fits
from ..languages import in_our_words
from ..offer import Offer
from ..theme import Theme
from ..widgets.fields import Choice, captioned
from ..widgets.offered import offer
from .control_row import ControlRow
from .image_prompt_row import ImagePromptRow
from .lora_row import LoraRow
from .picture_row import Network
from .picture_rows import PictureRows
from .titled import adder, titled

Cards = Mapping[str, Sequence[ModelCard]]


class Additions(QWidget):
    """What is shown is kept when the model changes; what the new one cannot take is left out and says why."""

    changed = Signal()
    word_chosen = Signal(str)
    picture_wanted = Signal(object)
    picture_dropped = Signal(object, object)
    look_wanted = Signal(object, object, str)
    row_added = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._cards: Cards = {}
        self._offer: Offer | None = None
        self._loras: list[LoraRow] = []
        self._add_lora = adder(self.tr("Add a LoRA"))
        control, prompt = self.tr("Add a ControlNet"), self.tr("Add an IP-Adapter")
        self._pictured = {
            CONTROLNET: PictureRows(theme, self.tr("ControlNets"), control, "addControlButton", ControlRow),
            IP_ADAPTER: PictureRows(theme, self.tr("IP-Adapters"), prompt, "addImagePromptButton", ImagePromptRow),
        }
        self._lora_menu = QMenu(self)
        self._vae = Choice("vaeCombo")
        self._lora_rows = QVBoxLayout()
        self._vae_field = captioned(self.tr("VAE"), self._vae)
        self._arrange()
        self._vae.currentIndexChanged.connect(lambda _: self.changed.emit())
        for rows in self._pictured.values():
            rows.changed.connect(self.changed)
            rows.picture_wanted.connect(self.picture_wanted)
            rows.picture_dropped.connect(self.picture_dropped)
            rows.look_wanted.connect(self.look_wanted)
            rows.row_added.connect(self.row_added)
        self._update()

    def values(self) -> dict[str, Any]:
        """What a request needs of this."""
        loras = [row.value() for row in self._loras]
        shown = {kind: tuple(rows.values()) if self._takes(kind) else () for kind, rows in self._pictured.items()}
        return {
            "loras": tuple(lora for lora in loras if lora is not None and self._takes(LORA)),
            "vae": self._vae.currentData() if self._takes(VAE) else None,
            "controls": shown[CONTROLNET],
            "image_prompts": shown[IP_ADAPTER],
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
        for row in self._loras:
            self._remove(row)
        for lora in request.loras:
            self._show_lora(lora)
        self._pictured[CONTROLNET].show_acting(request.controls)
        self._pictured[IP_ADAPTER].show_acting(request.image_prompts)
        self._show_vaes(request.vae)
        self._update()

    # ---- LoRAs --------------------------------------------------------------------------------------------

    def _show_lora(self, lora: LoraWeight) -> None:
        card = next((card for card in self._cards.get(LORA, ()) if card.name == lora.name), None)
        row = LoraRow(lora, card)
        row.word_chosen.connect(self.word_chosen)
        row.changed.connect(self.changed)
        row.removed.connect(lambda: self._taken_off(row))
        self._loras.append(row)
        self._lora_rows.addWidget(row)
        self._theme.dress(row)

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
            return in_our_words(card.missing)
        return self.tr("{0} was made for another kind of model.").format(card.title or card.name)

    def _network(self, card: ModelCard) -> Network:
        reason = self._misfit(card)
        lacks = bool(reason) and reason == in_our_words(card.missing)
        return Network(card.name, card.title or card.name, reason, lacks)

    # ---- all ----------------------------------------------------------------------------------------------

    def _show_vaes(self, chosen: str | None) -> None:
        self._vae.blockSignals(True)
        self._vae.clear()
        self._vae.addItem(self.tr("Model’s own"), None)
        for card in self._cards.get(VAE, ()):
            self._vae.addItem(card.title or card.name, card.name)
        self._vae.setCurrentIndex(max(0, self._vae.findData(chosen)))
        self._vae.blockSignals(False)

    def _taken_off(self, row: QWidget) -> None:
        self._remove(row)
        self._update()
        self.changed.emit()

    def _remove(self, row: QWidget) -> None:
        self._loras = [each for each in self._loras if each is not row]
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
        words = {CONTROLNET: self.tr("{0} takes no ControlNets."), IP_ADAPTER: self.tr("{0} takes no IP-Adapters.")}
        for kind, rows in self._pictured.items():
            networks = [self._network(card) for card in self._cards.get(kind, ())]
            rows.show_networks(networks, self._reason(kind, title, words[kind]))
        offer(self._vae, self._reason(VAE, title, self.tr("{0} takes no other VAE.")))
        self._fill_menu()
        known = {card.name: card for card in self._cards.get(LORA, ())}
        for row in self._loras:
            absent = self.tr("{0} is not in the library.").format(row.name)
            row.show_missing(self._misfit(known[row.name]) if row.name in known else absent)

    def _arrange(self) -> None:
        self._add_lora.setObjectName("addLoraButton")
        self._lora_menu.setToolTipsVisible(True)
        self._add_lora.setMenu(self._lora_menu)
        self._add_lora.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._lora_rows.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(titled(self.tr("LoRAs"), self._add_lora))
        column.addLayout(self._lora_rows)
        for rows in self._pictured.values():
            column.addWidget(rows)
        column.addWidget(self._vae_field)
