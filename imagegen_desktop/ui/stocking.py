"""Stocking: the models window — what is here, what is on its way, and what the first canvas offers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ..domain.download import Download, DownloadState
from ..domain.engine_status import EngineStatus
from ..domain.errors import ModelProblem, Problem
from ..domain.model_card import MODEL, ModelCard
from ..services import image_encoders
from ..services.assemble import Parts
from .bridge import Bridge
from .choosing import Choosing
from .getting import Getting, first_offer, look_at_machine
from .latest import Latest
from .main_window import MainWindow
from .theme import Theme

if TYPE_CHECKING:
    from .dialogs.models import ModelsDialog

_Found = tuple[list[ModelCard], dict[str, ModelProblem], frozenset[str]]


class Stocking(QObject):
    """The dialog is imported and made when it is opened; downloads go on without it."""

    keys_wanted = Signal()

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge, theme: Theme, choosing: Choosing) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._bridge = bridge
        self._theme = theme
        self._choosing = choosing
        self._dialog: ModelsDialog | None = None
        self._getting: Getting | None = None
        self._device = ""
        self._list = Latest(bridge)

    def load(self) -> None:
        """What the first canvas offers to an artist who has the starter model only."""
        welcome = self._window.panes.stage.welcome
        self._bridge.ask(lambda: look_at_machine(self._parts), lambda found: welcome.show_better(first_offer(found)))

    def show_engine(self, status: EngineStatus) -> None:
        """What draws is known only once the engine has started: it decides what is recommended."""
        if status.device and status.device != self._device:
            self._device = status.device
            self.load()

    def show(self) -> None:
        """The one models window."""
        if self._dialog is None:
            self._dialog = self._made()
        self.show_models()
        self._dialog.show()
        self._dialog.raise_()

    def show_get(self) -> None:
        """The page of it for getting models."""
        self.show()
        if self._dialog is not None:
            self._dialog.turn_to_get()

    def show_models(self) -> None:
        """What is here now; also after a model came or went."""
        if self._dialog is not None:
            self._list.ask(self._found, self._show_here)
        self.load()

    def _found(self) -> _Found:
        models, kits = self._parts.models, self._parts.kits.families()
        cards = models.everything()
        return cards, models.broken(), frozenset(card.name for card in cards if _can_complete(card, kits))

    def show_download(self, download: Download) -> None:
        """A model on its way came further."""
        if self._getting is not None:
            self._getting.show_download(download)
        if download.state is DownloadState.DONE:
            place, models = Path(download.path), self._parts.models
            self._bridge.ask(
                lambda: next((card.name for card in models.all() if Path(card.path) == place.resolve()), ""),
                lambda name: self._show_come(download.title, name),
            )

    def add(self, path: Path) -> None:
        """A folder or file that was chosen or dropped in the models window."""
        self._say("info", self.tr("Looking at {0}…").format(path.name))
        self._bridge.ask(lambda: self._parts.models.add(path), self._added, self._refuse)

    def _made(self) -> ModelsDialog:
        from .dialogs.models import ModelsDialog
        from .tending import Tending

        dialog = ModelsDialog(self._window)
        dialog.model_added.connect(self.add)
        dialog.finished.connect(lambda _: self._closed())
        here = dialog.here
        here.dressed.connect(self._theme.dress)
        here.model_chosen.connect(self._choose)
        Tending(dialog, self._parts, self._bridge, self._bridge.models_changed.emit)
        dialog.get.key_wanted.connect(self.keys_wanted)
        self._getting = Getting(dialog.get, self._parts, self._bridge, self._theme)
        self._theme.dress(dialog)
        return dialog

    def _closed(self) -> None:
        if self._getting is not None:
            self._getting.close()
        self._dialog = self._getting = None

    def _show_here(self, found: _Found) -> None:
        if self._dialog is not None:
            chosen = self._window.top_bar.model()
            cards, broken, completable = found
            self._dialog.here.show_models(cards, broken, chosen, completable)

    def _choose(self, name: str) -> None:
        self._choosing.choose(name)
        self.show_models()

    def _added(self, card: ModelCard) -> None:
        if self._dialog is not None:
            self._dialog.messages.clear()
        self._choosing.load(card.name if card.kind == MODEL and not card.missing else "")
        self.show_models()

    def _show_come(self, title: str, model: str) -> None:
        """`model` is empty for what is not drawn with by itself: it is used where it is wanted."""
        use = (self.tr("Use it"), lambda: self._choosing.load(model)) if model else None
        bar = self._dialog.messages if self._dialog is not None else self._window.panes.stage.messages
        said = self.tr("{0} is here.").format(title)
        bar.show_message("info", said, "", use, about=said)

    def _refuse(self, problem: Problem) -> None:
        self._say("error", problem.message, problem.advice)

    def _say(self, level: str, text: str, advice: str = "") -> None:
        if self._dialog is not None:
            self._dialog.messages.show_message(level, text, advice)


def _can_complete(card: ModelCard, kits: frozenset[str]) -> bool:
    """Whether what it lacks can be fetched: `kits` are the families whose configs and tokenizers can."""
    kit = card.kind == MODEL and card.missing and not card.lacks and card.family in kits
    return bool(kit or image_encoders.missing(card))
