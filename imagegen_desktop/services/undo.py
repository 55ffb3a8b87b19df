"""Undo for what an artist does: one stack of reversible deeds, kept with the library, so it outlives a restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ..database.connection import Library
from ..database.facts import get_fact, set_fact
from ..domain.errors import Problem
from .announce import Announcer, UndoChanged

_KEPT = 200
_FACT = "undo"


@dataclass(frozen=True)
class Act:
    """A registered act by name, and what it is done with (JSON-able)."""

    name: str
    arguments: list[Any]


@dataclass(frozen=True)
class Deed:
    """Something done, in words ("Delete 3 images"), and the acts that take it back and do it again."""

    label: str
    undo: Act
    redo: Act


class Undo:
    """Deeds in order; a new one forgets those that were undone. Acts are registered where the parts are joined."""

    def __init__(self, library: Library, announce: Announcer) -> None:
        self._library = library
        self._announce = announce
        self._lock = threading.RLock()
        self._acts: dict[str, Callable[..., object]] = {}
        self._done, self._undone = _read(get_fact(library, _FACT))

    def register(self, name: str, act: Callable[..., object]) -> None:
        self._acts[name] = act

    def do(self, deed: Deed) -> None:
        """Does a deed for the first time and remembers it."""
        self._perform(deed.redo)
        self.remember(deed)

    def remember(self, deed: Deed) -> None:
        """Remembers a deed that is done already."""
        with self._lock:
            self._done = [*self._done, deed][-_KEPT:]
            self._undone = []
            self._keep()

    def undo(self) -> str:
        """Takes the last deed back; its label, empty when there was none. Raises a Problem when it cannot be."""
        with self._lock:
            return self._step(self._done, self._undone, lambda deed: deed.undo)

    def redo(self) -> str:
        with self._lock:
            return self._step(self._undone, self._done, lambda deed: deed.redo)

    def labels(self) -> tuple[str, str]:
        """What undo and redo would do now."""
        return (self._done[-1].label if self._done else "", self._undone[-1].label if self._undone else "")

    def _step(self, source: list[Deed], target: list[Deed], act: Callable[[Deed], Act]) -> str:
        if not source:
            return ""
        deed = source.pop()
        try:
            self._perform(act(deed))
        except Problem:
            self._keep()  # what it was about is gone: it cannot be taken back, now or later
            raise
        target.append(deed)
        self._keep()
        return deed.label

    def _perform(self, act: Act) -> None:
        self._acts[act.name](*act.arguments)

    def _keep(self) -> None:
        stacks = [[asdict(deed) for deed in stack] for stack in (self._done, self._undone)]
        set_fact(self._library, _FACT, json.dumps(stacks))
        undo, redo = self.labels()
        self._announce.publish(UndoChanged(undo=undo, redo=redo))


def _read(text: str) -> tuple[list[Deed], list[Deed]]:
    if not text:
        return [], []
    done, undone = (
        [Deed(deed["label"], Act(**deed["undo"]), Act(**deed["redo"])) for deed in stack] for stack in json.loads(text)
    )
    return done, undone
