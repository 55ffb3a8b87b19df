"""Undo for what an artist does: one stack of reversible deeds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from .announce import Announcer, UndoChanged

_KEPT = 200


@dataclass(frozen=True)
class Deed:
    """Something done, in words ("Delete 3 images"), and how to take it back and do it again."""

    label: str
    undo: Callable[[], object]
    redo: Callable[[], object]


class Undo:
    """Deeds in order; a new one forgets those that were undone."""

    def __init__(self, announce: Announcer) -> None:
        self._announce = announce
        self._lock = threading.Lock()
        self._done: list[Deed] = []
        self._undone: list[Deed] = []

    def remember(self, deed: Deed) -> None:
        with self._lock:
            self._done = [*self._done, deed][-_KEPT:]
            self._undone.clear()
        self._tell()

    def undo(self) -> str:
        """Takes the last deed back; its label, empty when there was none."""
        return self._step(self._done, self._undone, lambda deed: deed.undo())

    def redo(self) -> str:
        return self._step(self._undone, self._done, lambda deed: deed.redo())

    def labels(self) -> tuple[str, str]:
        """What undo and redo would do now."""
        return (self._done[-1].label if self._done else "", self._undone[-1].label if self._undone else "")

    def _step(self, source: list[Deed], target: list[Deed], act: Callable[[Deed], object]) -> str:
        with self._lock:
            if not source:
                return ""
            deed = source.pop()
        act(deed)
        with self._lock:
            target.append(deed)
        self._tell()
        return deed.label

    def _tell(self) -> None:
        undo, redo = self.labels()
        self._announce.publish(UndoChanged(undo=undo, redo=redo))
