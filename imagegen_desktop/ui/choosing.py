"""Choosing: which model draws, and adding one that was chosen or dropped."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from ..domain.model_card import ModelCard
from ..services.assemble import Parts
from .bridge import Bridge
from .main_window import MainWindow


class Choosing(QObject):
    """Knows the cards of all models; the tool bar's list says which one is chosen."""

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge) -> None:
        super().__init__(window)
        self._bar = window.top_bar
        self._models = parts.models
        self._settings = parts.settings
        self._bridge = bridge
        self._prompt = window.panes.prompt
        self._stage = window.panes.stage
        self._cards: dict[str, ModelCard] = {}

    def load(self, wanted: str = "") -> None:
        """Reads the library again and keeps the choice; `wanted` is chosen when it is there."""
        self._bridge.ask(
            lambda: (self._models.all(), self._models.default()), lambda found: self._show_cards(*found, wanted)
        )

    def cards(self) -> list[ModelCard]:
        return list(self._cards.values())

    def choose(self, name: str) -> None:
        """Nothing changes when there is no such model."""
        if name != self._bar.model() and self._bar.choose_model(name):
            self.chosen(name)

    def chosen(self, name: str) -> None:
        """The artist's choice: shown, and kept for the next start."""
        self._show_chosen()
        self._bridge.ask(lambda: self._settings.set("model", name))

    def add(self, path: Path) -> None:
        said = self._stage.messages
        said.show_message("info", self.tr("Looking at {0}…").format(path.name))
        self._bridge.ask(
            lambda: self._models.add(path),
            self._added,
            lambda problem: said.show_message("error", problem.message, problem.advice),
        )

    def _added(self, card: ModelCard) -> None:
        self._stage.messages.clear()
        self.load(card.name)

    def _show_cards(self, cards: list[ModelCard], default: ModelCard | None, wanted: str) -> None:
        self._cards = {card.name: card for card in cards}
        names = [wanted, self._bar.model(), default.name if default else ""]
        self._bar.show_models(cards, next((name for name in names if name in self._cards), ""))
        self._show_chosen()

    def _show_chosen(self) -> None:
        card = self._cards.get(self._bar.model())
        self._prompt.show_model(card)
        if card is None:
            self._stage.welcome.show_no_model()
        else:
            self._stage.welcome.show_examples(card.examples)
