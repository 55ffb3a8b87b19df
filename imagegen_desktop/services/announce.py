"""Publish and subscribe: what changed, said once, heard by every face."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ..domain.download import Download
from ..domain.engine_status import EngineStatus
from ..protocol.messages import Event


@dataclass(frozen=True, kw_only=True)
class JobsChanged:
    """Rows of the queue were added, moved, edited, finished or removed. Empty means "any of them"."""

    ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JobEvent:
    """What a provider says of a running job, as it says it: Loading, Started, Step, Preview, Decoding, Image …"""

    job: str
    event: Event


@dataclass(frozen=True, kw_only=True)
class JobAnswered:
    """A job was answered from history: these images, which were there already, are what it asked for."""

    job: str
    images: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ImagesChanged:
    """Images were added (`added`, newest last), changed, binned or restored."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EngineChanged:
    status: EngineStatus


@dataclass(frozen=True, kw_only=True)
class QueuePaused:
    """The whole queue was paused or goes on."""

    paused: bool


@dataclass(frozen=True, kw_only=True)
class StylesChanged:
    pass


@dataclass(frozen=True, kw_only=True)
class ModelsChanged:
    pass


@dataclass(frozen=True, kw_only=True)
class DownloadChanged:
    """A model on its way from the hub came further, was paused, failed, ended or was cancelled."""

    download: Download


@dataclass(frozen=True, kw_only=True)
class ProvidersChanged:
    """These providers began to wait, or may be asked again; or a key of theirs came or went."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SettingsChanged:
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class UndoChanged:
    """What Undo and Redo would do now, empty when there is nothing."""

    undo: str = ""
    redo: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftChanged:
    """The picture to start from, or its mask, is another one again: a change was undone or redone."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A sentence for the artist, shown in place. `level`: info, warning or error; `provider`: whose trouble it is."""

    level: str
    text: str
    advice: str = ""
    provider: str = ""


Announcement = (
    JobsChanged
    | JobEvent
    | JobAnswered
    | ImagesChanged
    | EngineChanged
    | QueuePaused
    | StylesChanged
    | ModelsChanged
    | DownloadChanged
    | ProvidersChanged
    | SettingsChanged
    | UndoChanged
    | DraftChanged
    | Notice
)
Listener = Callable[[Announcement], None]


class Announcer:
    """Calls every listener in the thread that publishes; listeners hand over to their own thread themselves."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._changing = threading.Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; the answer removes it again."""
        with self._changing:
            self._listeners = (*self._listeners, listener)
        return lambda: self._remove(listener)

    def publish(self, announcement: Announcement) -> None:
        for listener in self._listeners:
            listener(announcement)

    def _remove(self, listener: Listener) -> None:
        with self._changing:
            self._listeners = tuple(known for known in self._listeners if known is not listener)
