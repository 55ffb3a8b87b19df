"""Where half-done images wait: one snapshot file for each image of a job that was begun and not finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path


class Snapshots:
    """Files named after job and image below the home's `snapshots/`; the engine alone reads and writes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

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

    def tidy(self, is_wanted: Callable[[str], bool]) -> None:
        """Forgets what jobs left behind that nobody will go on with."""
        for job in {file.name.partition("-")[0] for file in self._folder.glob("*-*")}:
            if not is_wanted(job):
                self.forget(job)

    def forget(self, job: str) -> None:
        for file in self._folder.glob(f"{job}-*"):
            file.unlink(missing_ok=True)
