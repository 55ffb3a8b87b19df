"""Choosing: which provider and which of its models draws, and adding a model that was chosen or dropped."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ..domain.cloud_model import CloudModel
from ..domain.families import INPAINT
from ..domain.model_card import MODEL, ModelCard
from ..domain.request import GenerationRequest
from ..services.assemble import Parts
from .bridge import Bridge
from .main_window import MainWindow
from .memory import WindowMemory
from .offer import Offer, offer_of_card, offer_of_cloud


class Choosing(QObject):
    """Knows the models of every provider; the tool bar's lists say which are chosen."""

    added = Signal()

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge, memory: WindowMemory) -> None:
        super().__init__(window)
        self._bar = window.top_bar
        self._models = parts.models
        self._providers = parts.providers
        self._settings = parts.settings
        self._bridge = bridge
        self._memory = memory
        self._prompt = window.panes.prompt
        self._stage = window.panes.stage
        self._cards: dict[str, ModelCard] = {}
        self._last: dict[str, str] = {}

    def load_providers(self) -> None:
        """The providers there are, with the one that was chosen last."""
        titles = {name: provider.capabilities().title for name, provider in self._providers.items()}
        self._bar.show_providers(titles)
        provider, model = self._memory.choice()
        if provider in titles and not self._is_local(provider):
            self._last[provider] = model
            self._bar.choose_provider(provider)
            self._show_models()

    def load(self, wanted: str = "") -> None:
        """Reads the library again and keeps the choice; `wanted` is chosen when it is there."""
        self._bridge.ask(
            lambda: (self._models.all(), self._models.default()), lambda found: self._show_cards(*found, wanted)
        )

    def cards(self) -> list[ModelCard]:
        return list(self._cards.values())

    def models_of(self, provider: str) -> dict[str, str]:
        """Titles by name."""
        capabilities = self._providers[provider].capabilities()
        if capabilities.local:
            return {card.name: card.title or card.name for card in self._cards.values()}
        return {model.name: model.title for model in capabilities.models}

    def choose(self, name: str) -> None:
        """A model on this computer, wherever was drawn before; nothing changes when there is no such model."""
        local = next((name for name in self._providers if self._is_local(name)), "")
        if name in self._cards and (name, local) != (self._bar.model(), self._bar.provider()):
            self._last[local] = name
            self._bar.choose_provider(local)
            self._show_models()
            self.chosen(name)

    def choose_for(self, request: GenerationRequest) -> None:
        """The provider and model of another picture, where they are still there."""
        if request.provider in self._providers and not self._is_local(request.provider):
            self._last[request.provider] = request.model or ""
            self._bar.choose_provider(request.provider)
            self.provider_chosen(request.provider)
        elif request.model:
            self.choose(request.model)

    def chosen(self, name: str) -> None:
        """The artist's choice of a model: shown, and kept for the next start."""
        provider = self._bar.provider()
        self._last[provider] = name
        self._memory.keep_choice(provider, name)
        self._show_chosen()
        if self._is_local(provider):
            self._bridge.ask(lambda: self._settings.set("model", name))

    def provider_chosen(self, name: str) -> None:
        self._show_models()
        self._memory.keep_choice(name, self._bar.model())

    def add(self, path: Path) -> None:
        said = self._stage.messages
        said.show_message("info", self.tr("Looking at {0}…").format(path.name))
        self._bridge.ask(
            lambda: self._models.add(path),
            self._added,
            lambda problem: said.show_message("error", problem.message, problem.advice),
        )

    def _added(self, card: ModelCard) -> None:
        """A whole model is chosen at once; what belongs to one, or lacks something, is told."""
        said = self._stage.messages
        said.clear()
        if card.missing:
            said.show_message("warning", card.missing)
        elif card.kind != MODEL:
            said.show_message("info", self.tr("{0} is here.").format(card.name))
        self.load(card.name if card.kind == MODEL and not card.missing else "")
        self.added.emit()

    def _show_cards(self, cards: list[ModelCard], default: ModelCard | None, wanted: str) -> None:
        self._cards = {card.name: card for card in cards}
        local = next((name for name in self._providers if self._is_local(name)), "")
        if wanted:
            self._bar.choose_provider(local)
        names = [wanted, self._last.get(local, ""), default.name if default else ""]
        self._last[local] = next((name for name in names if name in self._cards), "")
        if self._is_local(self._bar.provider()):
            self._show_models()

    def _show_models(self) -> None:
        """The chosen provider's models, the last chosen of them first."""
        provider = self._bar.provider()
        titles, wanted = self.models_of(provider), self._last.get(provider, "")
        default = self._providers[provider].capabilities().default_model
        self._bar.show_models(titles, wanted if wanted in titles else default)
        self._show_chosen()

    def _show_chosen(self) -> None:
        offered = self._offered()
        self._prompt.show_offer(offered)
        if offered is not None:
            cannot = self.tr("{0} cannot paint inside a mask. Choose a model that can.").format(offered.title)
            self._stage.easel.show_missing("" if INPAINT in offered.tasks else cannot)
            self._stage.easel.show_multiple(offered.sizes.multiple)
        if offered is None:
            self._stage.welcome.show_no_model()
        else:
            card = offered.card or next(iter(self._cards.values()), None)
            self._stage.welcome.show_examples(card.examples if card is not None else ())

    def _offered(self) -> Offer | None:
        """What the chosen model can do."""
        name = self._bar.model()
        capabilities = self._providers[self._bar.provider()].capabilities()
        if capabilities.local:
            return offer_of_card(self._cards[name]) if name in self._cards else None
        model: CloudModel | None = next((one for one in capabilities.models if one.name == name), None)
        return None if model is None else offer_of_cloud(model)

    def _is_local(self, provider: str) -> bool:
        return provider in self._providers and self._providers[provider].capabilities().local
