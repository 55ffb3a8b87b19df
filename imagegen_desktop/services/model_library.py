"""The models on this machine and what belongs to them: ours, those in the home, and in folders the artist named."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ..domain.errors import BadInput, ModelProblem, Problem
from ..domain.families import FAMILIES
from ..domain.model_card import EXTRAS, FOLDER, IMAGE_ENCODER, IP_ADAPTER, MODEL, ModelCard
from ..settings import Settings
from ..weights.discover import candidates, folders_stamp
from ..weights.inspect import inspect_model
from ..weights.kits import kit_of
from ..weights.known_files import KnownFiles, stamp_of
from ..weights.layouts import REFINER
from .image_encoders import title

KITS = "kits"
LOOK_AGAIN_SECONDS = 2.0
FETCH_KIT = "Fetch them once in the models window, or by `models kit`; from then on nothing goes online."


class ModelLibrary:
    """Cards by name; looks at the folders again when something changed there, or on `refresh`."""

    def __init__(self, shipped: Path, own: Path, settings: Settings) -> None:
        """`shipped` holds the models that come with the program, `own` is the home's folder of models."""
        self._shipped = shipped
        self.own = own
        self._settings = settings
        self._lock = threading.Lock()
        self._cards: dict[str, ModelCard] | None = None
        self._broken: dict[str, ModelProblem] = {}
        self._unsound: list[Path] = []
        self._looked_at = 0.0
        self._seen: Hashable = None

    def roots(self) -> list[Path]:
        """The folders that are looked through for the artist's models: the home's, then those of the settings."""
        named = self._settings.text("model_folders").split(os.pathsep)
        return [self.own, *(Path(name.strip()).expanduser() for name in named if name.strip())]

    def all(self) -> list[ModelCard]:
        """The artist's own models by name, then the shipped ones; those only of which nothing is missing."""
        return [card for card in self.everything() if card.kind == MODEL and not card.missing]

    def everything(self) -> list[ModelCard]:
        """Models, whole or not, and extras: the artist's own by name, then the shipped ones."""
        return sorted(self._known().values(), key=lambda card: (card.built_in, card.name.casefold()))

    def extras(self, kind: str) -> list[ModelCard]:
        """LoRAs, embeddings, ControlNets …: all of one kind, by name; raises BadInput for an unknown kind."""
        if kind not in EXTRAS:
            raise BadInput("kind", kind, "one of " + ", ".join(EXTRAS))
        return [card for card in self.everything() if card.kind == kind]

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
            names = ", ".join(each.name for each in known) or f"there is none yet; put one into {self.own}"
            raise BadInput(kind, name, f"known are {names}" if known else names)
        return found

    def broken(self) -> dict[str, ModelProblem]:
        """What looks like a model and cannot be opened, with the reason, by name."""
        self._known()
        return dict(self._broken)

    def knows(self, name: str) -> bool:
        """Whether a model of that name lies in the library, so that its name will do tomorrow as well."""
        card = self._known().get(name)
        return card is not None and card.path != self._elsewhere()

    def get(self, name: str) -> ModelCard:
        """By name, or by the path of a model; raises BadInput naming the known ones, or ModelProblem."""
        cards = self._known()
        if name in cards and cards[name].kind == MODEL:
            return _usable(cards[name])
        if name in self._broken:
            raise self._broken[name]
        path = Path(name).expanduser()
        if path.exists():
            card = self.opened(path)
            if card.kind != MODEL:
                raise BadInput("model", name, f"it is a file of the kind {card.kind}, used together with a model")
            return _usable(card)
        known = ", ".join(card.name for card in self.all())
        raise BadInput("model", name, f"one of {known}, or the path of a model folder or file")

    def default(self) -> ModelCard | None:
        """The model of the settings, else the artist's first, else the shipped one."""
        chosen = self._settings.text("model")
        if chosen:
            with contextlib.suppress(Problem):  # it was removed since; the next best will do
                return self.get(chosen)
        return next(iter(self.all()), None)

    def opened(self, path: Path) -> ModelCard:
        """The card of a file or folder that need not be in the library; raises BadInput with what is wrong with it."""
        try:
            return self._with_kit(inspect_model(path.expanduser()), self._known().values())
        except ModelProblem as problem:
            refused = BadInput("model", str(path), problem.message.rstrip("."))
            refused.advice = problem.advice
            raise refused from problem

    def add(self, path: Path) -> ModelCard:
        """Makes a model file or folder known under its name, by a link in the home's models folder."""
        card, path = self.opened(path), path.expanduser().resolve()
        inside = any(path.is_relative_to(root.resolve()) for root in self.roots())
        link = self.own / (path.name if path.is_file() else card.name)
        if not inside and not link.exists():
            try:
                _link(link, path)
            except OSError as error:
                raise ModelProblem(f"{link} cannot be made: {error.strerror}.", f"Copy {path.name} there.") from error
        self.refresh()
        return next((known for known in self.everything() if known.path == card.path), card)

    def refresh(self) -> None:
        with self._lock:
            self._cards = None

    def _known(self) -> dict[str, ModelCard]:
        with self._lock:
            if self._cards is None or time.monotonic() > self._looked_at + LOOK_AGAIN_SECONDS:
                seen = self._stamp()
                if self._cards is None or seen != self._seen:
                    self._cards = self._read()
                    seen = self._stamp()
                self._seen, self._looked_at = seen, time.monotonic()
            return self._cards

    def _stamp(self) -> Hashable:
        """Of the folders, and of files that were not sound: one that is still being copied may be whole by now."""
        return folders_stamp(self.roots()), str([stamp_of(path) for path in self._unsound])

    def _read(self) -> dict[str, ModelCard]:
        cards: dict[str, ModelCard] = {}
        self._broken, self._unsound = {}, []
        files = KnownFiles(self.own.parent / "cache" / "models.json")
        for path, built_in in self._candidates():
            try:
                card = files.card(path, built_in)
            except ModelProblem as problem:
                self._broken[path.name if path.is_dir() else path.stem] = problem
                self._unsound.append(path)
                continue
            known = cards.get(card.name)
            if known is not None and known.path != card.path and not known.built_in:
                card = replace(card, name=_free_name(path, cards))
            cards[card.name] = card
        files.save()
        if chosen := self._elsewhere():
            with contextlib.suppress(ModelProblem):
                card = inspect_model(Path(chosen))
                cards.setdefault(card.name, card)
        whole = list(cards.values())
        return {name: self._with_kit(card, whole) for name, card in cards.items()}

    def _candidates(self) -> Iterator[tuple[Path, bool]]:
        yield from ((path, True) for path in candidates(self._shipped))
        for root in self.roots():
            yield from ((path, False) for path in candidates(root))

    def _with_kit(self, card: ModelCard, others: Iterable[ModelCard]) -> ModelCard:
        """The card with the kit its single file needs, or with what is missing."""
        if card.kind == IP_ADAPTER:
            return _with_encoder(card, others)
        if card.kind != MODEL or card.format == FOLDER:
            return card
        title = FAMILIES[card.family].title
        if REFINER in card.variants:
            return replace(card, missing=f"{card.name} is the refiner of {title}; the base model is needed to draw.")
        if card.lacks:
            whole = next((other for other in others if _is_whole(other, card.family)), None)
            if whole is None:
                lacks = " and ".join(dict.fromkeys(_PART_TITLES[part] for part in card.lacks))
                text = f"{card.name} holds only a part of {title}; it needs its {lacks}, from a folder of that family."
                return replace(card, missing=text)
            return replace(card, kit=whole.path)
        kit = kit_of(card.family, (self.own / KITS, self._shipped.parent / "configs"))
        if kit is None:
            text = f"{card.name} is a model of {title}, whose configs and tokenizers are not on this computer yet."
            return replace(card, missing=text)
        return replace(card, kit=str(kit))

    def _elsewhere(self) -> str:
        """The path the `model` setting names, when it names one."""
        chosen = self._settings.text("model")
        return str(Path(chosen).expanduser().resolve()) if Path(chosen).is_absolute() else ""


_PART_TITLES = {
    "vae": "autoencoder",
    "text_encoder": "text encoders",
    "text_encoder_2": "text encoders",
    "text_encoder_3": "text encoders",
}


def _with_encoder(card: ModelCard, others: Iterable[ModelCard]) -> ModelCard:
    """The IP-Adapter with the image encoder it looks through: the one that lies beside it, else one of the library."""
    encoders = [other for other in others if other.kind == IMAGE_ENCODER]
    beside = Path(card.path).parent / IMAGE_ENCODER.replace("-", "_")
    if beside.is_dir():
        with contextlib.suppress(ModelProblem):
            encoders.insert(0, inspect_model(beside))
    fitting = next((each for each in encoders if {*card.features} & {*each.features}), None)
    if fitting is not None:
        return replace(card, kit=fitting.path)
    wanted = title(card.features)
    text = f"{card.name} looks at pictures through a {wanted} image encoder, which is not on this computer yet."
    return replace(card, missing=text)


def _usable(card: ModelCard) -> ModelCard:
    """The card itself; raises ModelProblem with what is missing."""
    if card.missing:
        raise ModelProblem(card.missing, FETCH_KIT if not card.lacks else "Add one, or download it.")
    return card


def _is_whole(card: ModelCard, family: str) -> bool:
    """Whether the model can lend its parts to a file of that family."""
    same = {card.family, family} <= {"flux", "flux-kontext", "flux-fill"} or card.family == family
    return card.kind == MODEL and card.format == FOLDER and same


def _free_name(path: Path, taken: Collection[str]) -> str:
    """A name for the second model of one name: with its ending, then with its folder's name."""
    for name in (path.name, f"{path.parent.name}/{path.name}"):
        if name not in taken:
            return name
    return str(path)


def _link(link: Path, path: Path) -> None:
    try:
        link.symlink_to(path, target_is_directory=path.is_dir())
    except OSError:
        if path.is_dir():
            raise
        os.link(path, link)  # systems that keep symbolic links for administrators
