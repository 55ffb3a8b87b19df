"""Staging: a model in the making, out of sight until every byte of it is there, checked and durable."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..domain.errors import DiskProblem
from ..paths import sync_folder
from .durable import PART, disk_problems, make_folder, rename_without_overwriting, write_durably
from .names import numbered

_JOURNAL = "download.json"
_BLOCK = 2**20


class Part:
    """A file being received: appended to, compared with, cut; its checksum is kept up to its end.

    The checksum is a SHA-256, or that of a git blob of `size` bytes.
    """

    def __init__(self, path: Path, size: int, sha256: str, blob: str) -> None:
        self.path = path
        self.size = size
        self.received = 0
        self._final = path
        self._part = path.with_name(path.name + PART)
        self._expected = sha256 or blob
        self._kind = "sha256" if sha256 else "sha1"
        self._file = -1
        self._sum = self._new_sum()

    def open(self) -> None:
        """Reads what is there already (which takes its time) and goes on at its end; raises DiskProblem."""
        with disk_problems(self._part.parent, self.size):
            make_folder(self._part.parent)
            flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
            self._file = os.open(self._part, flags, 0o644)
        self.cut(self.size)

    def append(self, data: bytes) -> None:
        """Adds bytes at the end; raises DiskProblem, and what was written until then stays."""
        with disk_problems(self._part.parent, self.size - self.received):
            view = memoryview(data)
            while view:
                written = os.write(self._file, view)
                self._sum.update(view[:written])
                self.received += written
                view = view[written:]

    def matches(self, position: int, data: bytes) -> bool:
        """Whether these very bytes are there already from `position` on."""
        with disk_problems(self._part.parent, 0):
            os.lseek(self._file, position, os.SEEK_SET)
            there = os.read(self._file, len(data))
            os.lseek(self._file, self.received, os.SEEK_SET)
        return there == data

    def cut(self, length: int) -> None:
        """Keeps at most the first `length` bytes and reads them anew."""
        with disk_problems(self._part.parent, 0):
            self._sum, self.received = self._new_sum(), 0
            if os.fstat(self._file).st_size > length:
                os.ftruncate(self._file, length)
            os.lseek(self._file, 0, os.SEEK_SET)
            while block := os.read(self._file, _BLOCK):
                self._sum.update(block)
                self.received += len(block)

    def is_right(self) -> bool:
        return self.received == self.size and self._sum.hexdigest() == self._expected

    def sync(self) -> None:
        """Makes what was received durable; raises DiskProblem."""
        with disk_problems(self._part.parent, self.size):
            os.fsync(self._file)

    def finish(self) -> None:
        """Gives a whole, checked file its name."""
        self.sync()
        self.close()
        with disk_problems(self._final.parent, 0):
            self._part.replace(self._final)
            sync_folder(self._final.parent)

    def close(self) -> None:
        """Once: the number is given up first, for it may be another file's as soon as this one is closed."""
        descriptor, self._file = self._file, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _new_sum(self) -> Any:
        return hashlib.sha256() if self._kind == "sha256" else hashlib.sha1(f"blob {self.size}\0".encode())


class Staging:
    """One model in the making: a journal of what it will be, and its files so far, in a hidden folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = folder / "files"

    def read(self) -> dict[str, Any]:
        """The journal; empty when there is none that can be read."""
        with suppress(OSError, ValueError):
            found = json.loads((self.folder / _JOURNAL).read_bytes())
            return found if isinstance(found, dict) else {}
        return {}

    def write(self, journal: dict[str, Any]) -> None:
        """Makes the journal durable; raises DiskProblem."""
        write_durably(self.folder / _JOURNAL, json.dumps(journal).encode(), overwrite=True)

    def path(self, name: str) -> Path:
        return self._files / name

    def has(self, name: str, size: int) -> bool:
        """Whether that file is whole: it gets its name only when it is."""
        try:
            return self.path(name).stat().st_size == size
        except OSError:
            return False

    def received(self, name: str, size: int) -> int:
        """How many of its bytes are there."""
        if self.has(name, size):
            return size
        try:
            return min(size, self.path(name + PART).stat().st_size)
        except OSError:
            return 0

    def add(self, name: str, data: bytes) -> None:
        """A file of our own beside those that are fetched."""
        write_durably(self.path(name), data, overwrite=True)

    def has_files(self) -> bool:
        return self._files.is_dir()

    def install(self, root: Path, name: str, single: str = "") -> Path:
        """Moves the whole folder, or the one file `single`, to the first free name like `name` in `root`, in one step.
        Raises DiskProblem."""
        source = self.path(single) if single else self._files
        with disk_problems(root, 0):
            for leftover in self._files.rglob(f"*{PART}"):
                leftover.unlink()
            for folder in [self._files, *(path for path in self._files.rglob("*") if path.is_dir())]:
                sync_folder(folder)
            for free in numbered(name):
                if not (root / free).exists() and rename_without_overwriting(source, root / free):
                    sync_folder(root)
                    return root / free
        raise DiskProblem(f"There is no free name like {name} in {root}.", "Tidy up that folder.")

    def discard(self) -> None:
        """Forgets it all."""
        with disk_problems(self.folder.parent, 0), suppress(FileNotFoundError):
            (self.folder / _JOURNAL).unlink(missing_ok=True)
            shutil.rmtree(self.folder)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """While open no other process works on it; False when one does. The system lets go when a process dies."""
        with disk_problems(self.folder, 0):
            make_folder(self.folder)
            descriptor = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            yield _lock(descriptor)
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
