"""Taking models away: into the home's bin, with undo. A model that was only linked to stays where it lies."""

from __future__ import annotations

import secrets
from pathlib import Path

from ..domain.errors import DiskProblem, NotFound, Problem
from ..domain.model_card import ModelCard
from ..paths import sync_folder
from ..storage.durable import disk_problems, make_folder, rename_without_overwriting
from .announce import Announcer, ModelsChanged
from .model_library import ModelLibrary
from .undo import Act, Deed, Undo

_BIN = "bin/models"


class ModelBin:
    """Moves what lies in the home's folder of models; folders elsewhere are not ours to empty."""

    def __init__(self, home: Path, models: ModelLibrary, undo: Undo, announce: Announcer) -> None:
        self._home = home
        self._models = models
        self._undo = undo
        self._announce = announce
        undo.register("move-model", self._move)

    def remove(self, card: ModelCard) -> None:
        """Puts a model or an extra into the bin; raises a Problem when it is not ours to remove."""
        self._put_away(Path(card.path), card.title or card.name, card.built_in)

    def remove_broken(self, name: str) -> None:
        """Puts what cannot be opened into the bin, by the name `ModelLibrary.broken` gives it; raises NotFound."""
        self._put_away(self.find_broken(name), name, False)

    def find_broken(self, name: str) -> Path:
        """Where it lies; raises NotFound."""
        own = self._models.own
        found = next((path for path in own.rglob("*") if name in (path.name, path.stem) and _visible(path, own)), None)
        if found is None:
            raise NotFound(f"There is no {name} in {own}.", "Look for it where it lies.")
        return found

    def _put_away(self, path: Path, title: str, built_in: bool) -> None:
        if built_in:
            raise Problem(f"{title} belongs to the program.", "It stays where it is.")
        place = self._place(path)
        if place is None:
            raise Problem(f"{title} lies in a folder of yours: {path.parent}.", "Remove it there.")
        binned = self._home / _BIN / secrets.token_hex(4) / place.name
        names = [place.relative_to(self._home).as_posix(), binned.relative_to(self._home).as_posix()]
        self._undo.do(Deed(f"Remove {title}", Act("move-model", names[::-1]), Act("move-model", names)))

    def _place(self, path: Path) -> Path | None:
        """The file, folder or link in the home by which a model is known."""
        own = self._models.own
        for entry in own.rglob("*"):
            if _visible(entry, own) and (entry == path or entry.resolve() == path.resolve()):
                return entry
        return None

    def _move(self, source: str, target: str) -> None:
        start, end = self._home / source, self._home / target
        with disk_problems(end.parent, 0):
            if not start.exists() and not start.is_symlink():
                raise NotFound(f"{start.name} is no longer there.")
            make_folder(end.parent)
            if not rename_without_overwriting(start, end):
                raise DiskProblem(f"There is already something at {end}.", "Move it away and try again.")
            sync_folder(end.parent)
            sync_folder(start.parent)
        self._models.refresh()
        self._announce.publish(ModelsChanged())


def _visible(path: Path, root: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(root).parts)
