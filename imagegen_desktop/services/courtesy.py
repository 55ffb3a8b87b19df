"""GPU courtesy: a model that nobody uses gives its memory back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..settings import Settings
from .announce import Announcement, Announcer, EngineChanged


class Courtesy:
    """Asks the engine to unload once it was idle for as long as the settings allow; 0 minutes is never."""

    def __init__(self, settings: Settings, unload: Callable[[], None], announce: Announcer) -> None:
        self._settings = settings
        self._unload = unload
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._unsubscribe = announce.subscribe(self._hear)

    def close(self) -> None:
        self._unsubscribe()
        self._wait(None)

    def _hear(self, announcement: Announcement) -> None:
        if isinstance(announcement, EngineChanged):
            minutes = self._settings.number("idle_unload_minutes")
            idle = announcement.status.state == "ready" and bool(announcement.status.model)
            self._wait(minutes * 60 if idle and minutes else None)

    def _wait(self, seconds: float | None) -> None:
        """Starts to wait, unless it waits already; None stops waiting."""
        with self._lock:
            if seconds is None and self._timer is not None:
                self._timer.cancel()
                self._timer = None
            elif seconds is not None and self._timer is None:
                self._timer = threading.Timer(seconds, self._done)
                self._timer.daemon = True
                self._timer.start()

    def _done(self) -> None:
        with self._lock:
            self._timer = None
        self._unload()
