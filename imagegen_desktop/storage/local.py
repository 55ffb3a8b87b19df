"""The home folder on this machine: images by month, sources by their hash, the bin, and how much space is left."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ..domain.errors import DiskProblem, NotFound
from ..paths import sync_folder
from .base import SavedFile
from .durable import (
    PART,
    disk_problems,
    make_folder,
    rename_without_overwriting,
    write_durably,
    write_to_free_name,
)
from .names import numbered, tidy_name

IMAGES, INPUTS, BIN = "images", "inputs", "bin"
YOUNG_SECONDS = 60.0
_SOURCE = re.compile("[0-9a-f]{64}")


class LocalStorage:
    """A `Storage` in a folder. Nothing it says is saved can be lost to a crash or a power cut."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def save(self, data: bytes, name: str, now: datetime) -> SavedFile:
        """Makes a finished image durable in `images/YYYY/MM/` under a free name like `name`; raises DiskProblem."""
        folder = self.home / IMAGES / now.astimezone(UTC).strftime("%Y/%m")
        binned = self.home / BIN / folder.relative_to(self.home)
        free = (folder / each for each in numbered(tidy_name(name)) if not (binned / each).exists())
        written = write_to_free_name(free, data)
        if written is None:
            raise DiskProblem(f"There is no free name like {name} in {folder}.", "Tidy up that folder.")
        return self._saved(written, data)

    def keep_source(self, data: bytes) -> SavedFile:
        """Keeps a PNG a job starts from under its SHA-256; the same bytes are kept once."""
        path = self.source_path(hashlib.sha256(data).hexdigest())
        with disk_problems(path.parent, len(data)):
            whole = path.is_file() and path.read_bytes() == data
        if whole:
            with suppress(OSError):
                path.touch()  # young again: it is about to be spoken of
        else:
            write_durably(path, data, overwrite=True)
        return self._saved(path, data)

    def drop_sources(self, unwanted: Callable[[str], bool], before: datetime) -> int:
        """Deletes the sources nobody has kept since then whose hash is unwanted; how many."""
        dropped = 0
        for path in self.old_sources(before):
            with suppress(OSError):
                if unwanted(path.stem) and path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    dropped += 1
        return dropped

    def old_sources(self, before: datetime) -> list[Path]:
        """The sources nobody has kept since then."""
        named = [path for path in (self.home / INPUTS).glob("*.png") if _SOURCE.fullmatch(path.stem)]
        return [path for path in named if path.stat().st_mtime < before.timestamp()]

    def source_path(self, sha256: str) -> Path:
        """Where the source of that hash lies; raises NotFound for what is no hash."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise NotFound(f"There is no source image {sha256!r}.")
        return self.home / INPUTS / f"{sha256}.png"

    def read(self, path: str) -> bytes:
        """A file's bytes; raises NotFound or DiskProblem."""
        try:
            return self.locate(path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(f"The file {path} is not there.") from None
        except OSError as error:
            raise DiskProblem(f"The file {path} cannot be read: {error.strerror}.", "Check the disk.") from error

    def locate(self, path: str) -> Path:
        """The full path of a relative one; raises NotFound for a path that leads out of the home folder."""
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts or "\0" in path:
            raise NotFound(f"{path!r} is no file of this library.")
        return self.home.joinpath(*parts.parts)

    def exists(self, path: str) -> bool:
        """Whether a file is there, outside the bin."""
        try:
            return self.locate(path).is_file()
        except NotFound:
            return False

    def is_binned(self, path: str) -> bool:
        """Whether a file lies in the bin."""
        try:
            return self.locate_binned(path).is_file()
        except NotFound:
            return False

    def move_to_bin(self, path: str) -> None:
        """Takes a file out of its folder; it can be brought back. Raises NotFound."""
        self._move(self.locate(path), self.locate_binned(path), path)

    def restore_from_bin(self, path: str) -> None:
        """Brings a file back to where it was. Raises NotFound, or DiskProblem if another took its place."""
        self._move(self.locate_binned(path), self.locate(path), path)

    def sweep(self, now: datetime) -> list[str]:
        """Puts half-written files that nobody works on any more into the bin; their new relative paths."""
        swept = []
        for folder in (IMAGES, INPUTS):
            for part in (self.home / folder).rglob(f"*{PART}"):
                if not _is_abandoned(part, now):
                    continue
                place = self.home / BIN / part.parent.relative_to(self.home)
                target = next(place / free for free in numbered(part.name) if not (place / free).exists())
                with suppress(DiskProblem, NotFound):
                    self._move(part, target, part.name)
                    swept.append(target.relative_to(self.home).as_posix())
        return swept

    def locate_binned(self, path: str) -> Path:
        """Where a file lies when it is in the bin. Raises NotFound as `locate` does."""
        return self.home / BIN / self.locate(path).relative_to(self.home)

    def _move(self, source: Path, target: Path, name: str) -> None:
        with disk_problems(target.parent, 0):
            if not source.exists() and not source.is_symlink():
                raise NotFound(f"The file {name} is not there.")
            make_folder(target.parent)
            if not rename_without_overwriting(source, target):
                raise DiskProblem(f"There is already a file at {target}.", "Move that file away and try again.")
            sync_folder(target.parent)
            sync_folder(source.parent)

    def _saved(self, path: Path, data: bytes) -> SavedFile:
        relative = path.relative_to(self.home).as_posix()
        return SavedFile(path=relative, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _is_abandoned(part: Path, now: datetime) -> bool:
    """Old enough, and not locked by a living writer."""
    try:
        if now.timestamp() - part.lstat().st_mtime < YOUNG_SECONDS:
            return False
        return part.is_symlink() or sys.platform == "win32" or _lock_is_free(part)
    except OSError:
        return False


def _lock_is_free(part: Path) -> bool:
    import fcntl

    descriptor = os.open(part, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
