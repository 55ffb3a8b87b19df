"""Download: a model on its way from the hub, as the window and the command line show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DownloadState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"
    CANCELLED = "cancelled"


#: A download that may still be gone on with.
OPEN = frozenset({DownloadState.WAITING, DownloadState.RUNNING, DownloadState.PAUSED, DownloadState.FAILED})


@dataclass(frozen=True, kw_only=True)
class Download:
    """`key` names it; `id` is the hub's. Sizes in bytes, speed in bytes a second, 0 when unknown.

    `note` says what it waits for; `error` is a Problem as a dict; `path` is where the model lies when it is done.
    """

    key: str
    id: str
    title: str
    revision: str
    state: DownloadState
    size: int
    received: int = 0
    speed: float = 0.0
    note: str = ""
    error: dict[str, str] | None = None
    path: str = ""

    @property
    def seconds_left(self) -> float | None:
        return (self.size - self.received) / self.speed if self.speed > 0 else None
