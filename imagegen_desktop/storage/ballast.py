"""Space kept in reserve: given back when the disk is full, so that the library can still be written."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from ..logs import logger

BYTES = 64 * 2**20
LEAST_FREE = 2**30


class Ballast:
    """A file of zeros in the home folder, kept only where there is plenty of space."""

    def __init__(self, home: Path) -> None:
        self._file = home / "ballast"
        self._given_back = False

    def keep(self) -> None:
        """Takes the space where that leaves enough for everything else."""
        with suppress(OSError):
            if self._file.exists() and self._file.stat().st_size == BYTES:
                return
            if shutil.disk_usage(self._file.parent).free > LEAST_FREE:
                self._fill()
                self._given_back = False

    def keep_again(self) -> None:
        """Takes it once more if it was given back; costs nothing if not."""
        if self._given_back:
            self.keep()

    def give_back(self) -> bool:
        """Whether there was something to give back; then it is worth trying again."""
        try:
            self._file.unlink()
        except OSError:
            return False
        self._given_back = True
        logger("storage").warning("the disk is full: the space in reserve was given back", bytes=BYTES)
        return True

    def _fill(self) -> None:
        try:
            with self._file.open("wb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, BYTES)
                else:
                    file.write(bytes(BYTES))
        except OSError:
            self._file.unlink(missing_ok=True)
            raise
