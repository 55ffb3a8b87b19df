"""Other processes on this home: noticing what they wrote, and heeding what they wish of our jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from ..database.connection import Library
from ..database.facts import get_fact, set_fact
from .announce import Announcer, ImagesChanged, JobsChanged
from .queue import wish_name

LOOK_SECONDS = 1.0


class Neighbours:
    """Looks about once a second at most, whoever asks."""

    def __init__(self, library: Library, announce: Announcer) -> None:
        self._library = library
        self._announce = announce
        self._asking = threading.Lock()
        self._looked = 0.0

    def look(self, mine: Iterable[str], interrupt: Callable[[str, str], object]) -> None:
        """Tells our faces that something changed, and passes wishes for the jobs that run here to `interrupt`."""
        with self._asking:
            if time.monotonic() - self._looked < LOOK_SECONDS:
                return
            self._looked = time.monotonic()
        if not self._library.changed_elsewhere():
            return
        for job in mine:
            wish = get_fact(self._library, wish_name(job))
            if wish:
                set_fact(self._library, wish_name(job), "")
                interrupt(job, wish)
        self._announce.publish(JobsChanged())
        self._announce.publish(ImagesChanged())
