"""What was recognised once is remembered by path, size and time of change, so that a thousand files open at once."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from .. import __version__
from ..domain.errors import ModelProblem
from ..domain.model_card import ModelCard
from .inspect import inspect_model

#: Goes up when recognition learns; what an older program remembered is looked at again.
_LAYOUT = f"{__version__}/3"
_MOST_CACHE = 256 * 2**20
_TUPLES = frozenset(field.name for field in fields(ModelCard) if str(field.type).startswith("tuple"))

Stamp = list[list[Any]]


class KnownFiles:
    """Cards by path, kept in one JSON file; losing it costs time only."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._known: dict[str, dict[str, Any]] = self._load()
        self._used: set[str] = set()
        self._changed = False

    def card(self, path: Path, built_in: bool = False) -> ModelCard:
        """The card of a model file or folder; raises ModelProblem, remembered like a card."""
        key, stamp = str(path), stamp_of(path)
        self._used.add(key)
        known = self._known.get(key)
        if known is None or known.get("stamp") != stamp:
            known = self._known[key] = _looked_at(path, built_in) | {"stamp": stamp}
            self._changed = True
        if "problem" in known:
            raise ModelProblem(str(known["problem"]), str(known.get("advice", "")))
        return _card(known["card"])

    def save(self) -> None:
        """Keeps what was asked for since it was opened and forgets the rest; a full disk is no trouble."""
        if not self._changed and len(self._used) == len(self._known):
            return
        self._known = {key: self._known[key] for key in sorted(self._used)}
        text = json.dumps({"layout": _LAYOUT, "files": self._known}, separators=(",", ":"))
        with suppress(OSError):
            part = self._cache.with_name(f"{self._cache.name}.{os.getpid()}")
            part.write_text(text, encoding="utf-8")
            part.replace(self._cache)

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            if self._cache.stat().st_size > _MOST_CACHE:
                return {}
            found = json.loads(self._cache.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(found, dict) or found.get("layout") != _LAYOUT or not isinstance(found.get("files"), dict):
            return {}
        return dict(found["files"])


def stamp_of(path: Path) -> Stamp:
    """Size in bytes and time of change of the file, or of every file below the folder."""
    if not path.is_dir():
        return [_stamp(path, "")]
    found: Stamp = []
    for place, folders, names in os.walk(path):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        found += [
            _stamp(Path(place) / name, os.path.relpath(os.path.join(place, name), path)) for name in sorted(names)
        ]
    return found


def _stamp(path: Path, name: str) -> list[Any]:
    try:
        found = path.stat()
    except OSError:
        return [name, -1, 0]
    return [name, found.st_size, found.st_mtime_ns]


def _looked_at(path: Path, built_in: bool) -> dict[str, Any]:
    try:
        card = asdict(inspect_model(path, built_in))
    except ModelProblem as problem:
        return {"problem": problem.message, "advice": problem.advice}
    return {"card": card | {"vocabulary": sorted(card["vocabulary"])}}


def _card(found: dict[str, Any]) -> ModelCard:
    values = {name: tuple(value) if name in _TUPLES else value for name, value in found.items()}
    return ModelCard(**values | {"vocabulary": frozenset(found["vocabulary"])})
