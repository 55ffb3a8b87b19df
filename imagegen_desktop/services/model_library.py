"""The models on this machine: ours, those in the home's models folder, and folders the artist pointed at."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from ..domain.errors import BadInput, ModelProblem, Problem
from ..domain.model_card import EXTRAS, MODEL, ModelCard
from ..settings import Settings
from ..weights.inspect import inspect_model, is_model_folder
from ..weights.single_file import inspect_file


class ModelLibrary:
    """Cards by name; reads folders again only on `refresh`."""

    def __init__(self, shipped: Path, own: Path, settings: Settings) -> None:
        self._shipped = shipped
        self._own = own
        self._settings = settings
        self._lock = threading.Lock()
        self._cards: dict[str, ModelCard] | None = None
        self._broken: dict[str, ModelProblem] = {}

    def all(self) -> list[ModelCard]:
        """The artist's own models by name, then the shipped ones."""
        return [card for card in self._sorted() if card.kind == MODEL]

    def extras(self, kind: str) -> list[ModelCard]:
        """LoRAs, embeddings, ControlNets …: all of one kind, by name; raises BadInput for an unknown kind."""
        if kind not in EXTRAS:
            raise BadInput("kind", kind, "one of " + ", ".join(EXTRAS))
        return [card for card in self._sorted() if card.kind == kind]

    def extra(self, kind: str, name: str) -> ModelCard:
        """One of them by its name, in any case, or by the path of a file; raises BadInput naming the known ones."""
        known = self.extras(kind)
        for card in known:
            if name.casefold() in (card.name.casefold(), Path(card.path).name.casefold()):
                return card
        if name in self._broken:
            raise self._broken[name]
        path = Path(name).expanduser()
        found = self.opened(path) if path.is_absolute() and path.exists() else None
        if found is None or found.kind != kind:
            names = ", ".join(each.name for each in known) or f"there is none yet; put one into {self._own}"
            raise BadInput(kind, name, f"known are {names}" if known else names)
        return found

    def _sorted(self) -> list[ModelCard]:
        return sorted(self._known().values(), key=lambda card: (card.built_in, card.name.casefold()))

    def broken(self) -> dict[str, ModelProblem]:
        """Folders that look like models and cannot be opened, with the reason."""
        self._known()
        return dict(self._broken)

    def knows(self, name: str) -> bool:
        """Whether a model of that name lies in the library, so that its name will do tomorrow as well."""
        card = self._known().get(name)
        return card is not None and card.path != self._elsewhere()

    def get(self, name: str) -> ModelCard:
        """By name, or by the path of a model folder; raises BadInput naming the known ones, or ModelProblem."""
        cards = self._known()
        if name in cards and cards[name].kind == MODEL:
            return cards[name]
        if name in self._broken:
            raise self._broken[name]
        path = Path(name).expanduser()
        if path.exists():
            return self.opened(path)
        raise BadInput("model", name, "one of " + ", ".join(card.name for card in self.all()) + ", or a model folder")

    def default(self) -> ModelCard | None:
        """The model of the settings, else the artist's first, else the shipped one."""
        chosen = self._settings.text("model")
        if chosen:
            with contextlib.suppress(Problem):  # it was removed since; the next best will do
                return self.get(chosen)
        return next(iter(self.all()), None)

    def opened(self, path: Path) -> ModelCard:
        """The card of a folder that need not be in the library; raises BadInput with what is wrong with it."""
        try:
            path = path.expanduser()
            return inspect_file(path) if path.is_file() else inspect_model(path)
        except ModelProblem as problem:
            raise BadInput("model", str(path), problem.message.rstrip(".")) from problem

    def add(self, path: Path) -> ModelCard:
        """Makes a model folder known under its name, by a link in the home's models folder."""
        card = self.opened(path)
        link = self._own / card.name
        if not link.exists():
            try:
                link.symlink_to(path.expanduser().resolve(), target_is_directory=True)
            except OSError as error:
                raise ModelProblem(f"{link} cannot be made: {error.strerror}.", "Copy the folder there.") from error
        self.refresh()
        return self.get(card.name)

    def refresh(self) -> None:
        with self._lock:
            self._cards = None

    def _known(self) -> dict[str, ModelCard]:
        with self._lock:
            if self._cards is None:
                self._cards = self._read()
            return self._cards

    def _read(self) -> dict[str, ModelCard]:
        cards: dict[str, ModelCard] = {}
        self._broken = {}
        for root, built_in in ((self._shipped, True), (self._own, False)):
            for folder in sorted(root.iterdir()) if root.is_dir() else ():
                if folder.suffix.lower() != ".safetensors" and not is_model_folder(folder):
                    continue
                try:
                    card = inspect_file(folder) if folder.is_file() else inspect_model(folder, built_in)
                    cards[card.name] = card
                except ModelProblem as problem:
                    self._broken[folder.name] = problem
        if chosen := self._elsewhere():
            with contextlib.suppress(ModelProblem):
                card = inspect_model(Path(chosen))
                cards.setdefault(card.name, card)
        return cards

    def _elsewhere(self) -> str:
        """The folder the `model` setting names, when it names one."""
        chosen = self._settings.text("model")
        return str(Path(chosen).expanduser().resolve()) if Path(chosen).is_absolute() else ""
