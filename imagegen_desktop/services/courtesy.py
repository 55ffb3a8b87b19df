"""GPU courtesy: a model that nobody uses gives its memory back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..settings import Settings
from .announce import Announcement, Announcer, EngineChanged


class Courtesy:
    """Asks an engine, by its number, to unload once it was idle for as long as the settings allow; 0 minutes is
    never."""

    def __init__(self, settings: Settings, unload: Callable[[int], None], announce: Announcer) -> None:
        self._settings = settings
        self._unload = unload
        self._timers: dict[int, threading.Timer] = {}
        self._lock = threading.Lock()
        self._unsubscribe = announce.subscribe(self._hear)

    def close(self) -> None:
        self._unsubscribe()
        for engine in list(self._timers):
            self._wait(engine, None)

    def _hear(self, announcement: Announcement) -> None:
        if isinstance(announcement, EngineChanged):
            minutes = self._settings.number("idle_unload_minutes")
            idle = announcement.status.state == "ready" and bool(announcement.status.model)
            self._wait(announcement.status.number, minutes * 60 if idle and minutes else None)

    def _wait(self, engine: int, seconds: float | None) -> None:
        """Starts to wait, unless it waits already; None stops waiting."""
        with self._lock:
            if seconds is None and engine in self._timers:
                self._timers.pop(engine).cancel()
            elif seconds is not None and engine not in self._timers:
                self._timers[engine] = timer = threading.Timer(seconds, self._done, [engine])
                timer.daemon = True
                timer.start()

    def _done(self, engine: int) -> None:
        with self._lock:
            self._timers.pop(engine, None)
        self._unload(engine)
