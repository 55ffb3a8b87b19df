"""Where half-done images wait: one snapshot file for each image of a job that was begun and not finished."""

from __future__ import annotations

from pathlib import Path


class Snapshots:
    """Files named after job and image below the home's `snapshots/`; the engine alone reads and writes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, job: str, index: int) -> str:
        return str(self._folder / f"{job}-{index}.safetensors")

    def existing(self, job: str, index: int) -> str:
        """The snapshot to go on from, empty when there is none."""
        place = self.place(job, index)
        return place if Path(place).is_file() else ""

    def preview_place(self, job: str) -> Path:
        """Where the look of a job that waits half-done is kept, as a PNG."""
        return self._folder / f"{job}-preview.png"

    def forget(self, job: str) -> None:
        for file in self._folder.glob(f"{job}-*"):
            file.unlink(missing_ok=True)
