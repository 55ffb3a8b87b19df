"""Where half-done images wait: one snapshot file for each image of a job that was begun and not finished. The last ones
of finished pictures are kept for a while, so that they can be decoded again."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path

#: Of so many finished pictures the latents are kept: half a megabyte each, for the largest models. Where a first pass's
#: picture is kept beside them there are fewer: no more bytes than these.
FINISHED_KEPT, FINISHED_BYTES = 500, 256 * 2**20


class Snapshots:
    """Files named after job and image below the home's `snapshots/`; the engine alone reads and writes them. Those in
    `finished/` are named after a picture."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._finished = folder / "finished"

    def place(self, job: str, index: int) -> str:
        return str(self._folder / f"{job}-{index}.safetensors")

    def existing(self, job: str, indexes: Iterable[int]) -> dict[int, str]:
        """The snapshots to go on from, by the index of their image. There may be several: one was being drawn while
        the one before it was not saved yet."""
        places = {index: self.place(job, index) for index in indexes} if any(self._folder.glob(f"{job}-*")) else {}
        return {index: place for index, place in places.items() if Path(place).is_file()}

    def preview_place(self, job: str) -> Path:
        """Where the look of a job that waits half-done is kept, as a PNG."""
        return self._folder / f"{job}-preview.png"

    def keep(self, job: str, index: int, image: str) -> None:
        """What there is of an image that is finished now stays, under its name. A comfort: a disk that will not have
        it costs nothing but steps, should somebody ask for it."""
        with contextlib.suppress(OSError):
            self._finished.mkdir(exist_ok=True)
            os.replace(self.place(job, index), self._finished_place(image))

    def finished(self, image: str) -> str:
        """What is kept of a finished picture; empty when nothing is."""
        place = self._finished_place(image)
        return str(place) if place.is_file() else ""

    def tidy(self, is_wanted: Callable[[str], bool]) -> None:
        """Forgets what jobs left behind that nobody will go on with, and what is kept of older pictures."""
        details = {}
        for file in self._finished.glob("*"):
            with contextlib.suppress(OSError):  # another process on this home was quicker
                details[file] = file.stat()
        newest = sorted(details, key=lambda file: details[file].st_mtime, reverse=True)
        sizes = itertools.accumulate(details[file].st_size for file in newest)
        for number, (file, size) in enumerate(zip(newest, sizes, strict=True)):
            if number >= FINISHED_KEPT or size > FINISHED_BYTES:
                _remove(file)
        for job in {file.name.partition("-")[0] for file in self._folder.glob("*-*")}:
            if not is_wanted(job):
                self.forget(job)

    def forget(self, job: str) -> None:
        for file in self._folder.glob(f"{job}-*"):
            _remove(file)

    def _finished_place(self, image: str) -> Path:
        return self._finished / f"{image}.safetensors"


def _remove(file: Path) -> None:
    """Where an engine has it open, which some systems do not allow, it goes the next time."""
    with contextlib.suppress(OSError):
        file.unlink()
