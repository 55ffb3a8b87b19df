"""What is done with model files beside looking at them: compared with their checksums, converted from pickles."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.errors import BadInput, ModelProblem, NotFound
from ..domain.model_card import FOLDER, MODEL, ModelCard
from ..formats.files import COPY_AGAIN
from ..formats.folder import parts_without_weights
from ..formats.kinds import PICKLED, kind_of
from ..paths import sync_folder
from ..storage.durable import rename_without_overwriting, write_durably
from ..weights.checksums import checksums
from ..weights.convert import converted, pickles_in
from .model_library import ModelLibrary

OK, RECORDED, CHANGED, BROKEN = "ok", "recorded", "changed", "broken"
_RECORD = ".checksums.json"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`state`: OK as recorded, RECORDED for the first time, CHANGED since, or BROKEN. `sha256` by file name;
    `same_as` names a model with the same files."""

    name: str
    path: str
    state: str
    detail: str = ""
    sha256: dict[str, str]
    same_as: str = ""


class ModelFiles:
    """Keeps the checksums of the artist's models in their folder, by path."""

    def __init__(self, models: ModelLibrary) -> None:
        self._models = models
        self._record = models.own / _RECORD

    def verify(self, name: str = "") -> list[Verdict]:
        """Reads every byte of one model, or of all, and what cannot be opened; raises NotFound."""
        self._models.refresh()
        cards = [card for card in self._models.everything() if name in ("", card.name)]
        broken = {each: problem for each, problem in self._models.broken().items() if name in ("", each)}
        if name and not cards and not broken:
            known = ", ".join(card.name for card in self._models.everything())
            raise NotFound(f"There is no model called {name}.", f"Known are {known}.")
        known_sums = self._recorded()
        found = [self._verdict(card, known_sums) for card in cards]
        self._write(known_sums)
        problems = (
            Verdict(name=each, path="", state=BROKEN, detail=p.message, sha256={}) for each, p in broken.items()
        )
        return [*_with_doubles(found), *problems]

    def convert(self, path: Path) -> list[Path]:
        """Makes safetensors of a pickle, or of each that a diffusers folder has nothing better for; the new files.

        The original stays. Raises ModelProblem with the reason, BadInput when there is nothing to convert.
        """
        path = path.expanduser()
        if not path.exists():
            raise BadInput("path", str(path), "a file or folder that exists")
        if path.is_file() and kind_of(path) not in PICKLED:
            raise BadInput("path", str(path), "a pickle; this file needs no conversion")
        wanted = pickles_in(path) if path.is_dir() else {path: _target(path)}
        if not wanted:
            raise BadInput("path", str(path), "a pickle, or a diffusers folder with pickles and no safetensors")
        for source, target in wanted.items():
            if target.exists():
                raise BadInput("path", str(source), f"a file without {target.name} beside it")
            with converted(source, target.parent) as made:
                with made.open("rb+") as file:
                    os.fsync(file.fileno())
                if not rename_without_overwriting(made, target):
                    raise ModelProblem(f"There is already a file at {target}.", "Move it away and try again.")
                sync_folder(target.parent)
        self._models.refresh()
        return list(wanted.values())

    def _verdict(self, card: ModelCard, known: dict[str, dict[str, str]]) -> Verdict:
        try:
            if card.kind == MODEL and card.format == FOLDER and (empty := parts_without_weights(Path(card.path))):
                raise ModelProblem(f"{card.name} has no weights for {', '.join(empty)}.", COPY_AGAIN)
            found = checksums(Path(card.path))
        except ModelProblem as problem:
            return _broken(card.name, problem, card.path)
        before = known.get(card.path)
        changed = sorted(file for file in before or {} if found.get(file) != (before or {})[file])
        state = RECORDED if before is None else CHANGED if changed else OK
        if not changed:
            known[card.path] = found
        detail = f"not as recorded: {', '.join(changed)}" if changed else card.missing
        return Verdict(name=card.name, path=card.path, state=state, detail=detail, sha256=found)

    def _recorded(self) -> dict[str, dict[str, str]]:
        found: Any = {}
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads(self._record.read_text(encoding="utf-8"))
        tables = found.items() if isinstance(found, dict) else ()
        return {path: sums for path, sums in tables if isinstance(sums, dict) and _is_sums(sums)}

    def _write(self, known: dict[str, dict[str, str]]) -> None:
        known = {path: sums for path, sums in known.items() if Path(path).exists()}
        write_durably(self._record, json.dumps(known, indent=1, sort_keys=True).encode(), overwrite=True)


def _target(path: Path) -> Path:
    """Beside the original, also when that only calls itself safetensors."""
    named = path.with_suffix(".safetensors")
    return path.with_name(f"{path.stem}-converted.safetensors") if path.suffix.lower() == named.suffix else named


def _broken(name: str, problem: ModelProblem, path: str = "") -> Verdict:
    return Verdict(name=name, path=path, state=BROKEN, detail=problem.message, sha256={})


def _is_sums(found: dict[Any, Any]) -> bool:
    return all(isinstance(value, str) for value in found.values())


def _with_doubles(found: list[Verdict]) -> Iterable[Verdict]:
    """The same files under another name are said once, at the second."""
    seen: dict[tuple[str, ...], str] = {}
    for verdict in found:
        sums = tuple(sorted(verdict.sha256.values()))
        same = seen.setdefault(sums, verdict.name) if sums else verdict.name
        fields = {**vars(verdict), "same_as": "" if same == verdict.name else same}
        yield Verdict(**fields)
