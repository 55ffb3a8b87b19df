"""Where things live: the home folder, what is below it, and the resources we ship."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from appdirs import user_data_dir

from .domain.errors import DiskProblem

HOME_VARIABLE = "IMAGEGEN_DESKTOP_HOME"


@dataclass(frozen=True)
class Home:
    """One folder with everything of one artist; moving it moves all."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "library.sqlite3"

    @property
    def thumbnails(self) -> Path:
        return self.root / "cache" / "thumbnails.sqlite3"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def wildcards(self) -> Path:
        return self.root / "wildcards"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    def prepare(self) -> Home:
        """Makes the folders; raises DiskProblem naming the folder that cannot be written."""
        try:
            below = (self.models, self.wildcards, self.snapshots, self.backups, self.logs, self.thumbnails.parent)
            for folder in (self.root, *below):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.root / f".writable-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise DiskProblem(
                f"The folder {self.root} cannot be written: {error.strerror or error}.",
                f"Make it writable, free some space, or choose another with {HOME_VARIABLE}=FOLDER.",
            ) from error
        return self


def home() -> Home:
    """The folder IMAGEGEN_DESKTOP_HOME names, else the system's place for a user's application data."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Home(Path(chosen).expanduser().absolute() if chosen else Path(user_data_dir("imagegen-desktop", False)))


def resources() -> Path:
    """The folder of styles, icons and models we ship: beside the package, inside it, or in the frozen bundle."""
    package = Path(__file__).resolve().parent
    frozen = getattr(sys, "_MEIPASS", None)
    candidates = [Path(frozen) / "resources"] if frozen else []
    candidates += [package / "resources", package.parent / "resources"]
    for folder in candidates:
        if (folder / "styles").is_dir():
            return folder
    raise DiskProblem("The program's resources folder is missing.", "Install the program again.")


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable, where the system can: without it a power cut can bring an old file back."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
