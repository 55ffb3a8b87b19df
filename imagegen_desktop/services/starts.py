"""Whether the last starts of the window survived: after two that did not, the queue waits for the artist."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

from ..logs import logger

SURVIVED_SECONDS = 60.0
TOO_MANY = 2


class Starts:
    """A small file of the starts that have neither lived for a minute nor ended as they should."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._before = self._read()
        self._timer: threading.Timer | None = None

    def begin(self) -> bool:
        """Notes this start; True when it should be a careful one. After a minute it has proved itself."""
        self._write([*self._before, time.time()])
        self._timer = threading.Timer(SURVIVED_SECONDS, self.proved)
        self._timer.daemon = True
        self._timer.start()
        return len(self._before) >= TOO_MANY

    def proved(self) -> None:
        """This start has lived long enough, or ends in order: nothing stands against it or those before."""
        if self._timer is not None:
            self._timer.cancel()
            self._before = []
            self._write([])

    def _read(self) -> list[float]:
        try:
            return [float(stamp) for stamp in json.loads(self._file.read_text(encoding="utf-8"))][-10:]
        except (OSError, ValueError, TypeError):
            return []

    def _write(self, stamps: list[float]) -> None:
        try:
            self._file.write_text(json.dumps(stamps), encoding="utf-8")
        except OSError as error:
            logger("starts").warning("a start could not be noted", reason=str(error))
