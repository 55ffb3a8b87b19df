"""What a place for image files can do; `local.py` is the folder on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class SavedFile:
    """A file that is durable now; `path` is relative to the home folder, with forward slashes."""

    path: str
    size: int
    sha256: str


class Storage(Protocol):
    """Keeps files under one home. Paths are relative to it; failures are Problems."""

    def save(self, data: bytes, name: str, now: datetime) -> SavedFile:
        """Makes a finished image durable under a free name like `name`; raises DiskProblem."""

    def keep_source(self, data: bytes) -> SavedFile:
        """Keeps a PNG a job starts from under its SHA-256; the same bytes are kept once."""

    def read(self, path: str) -> bytes:
        """A file's bytes; raises NotFound or DiskProblem."""

    def move_to_bin(self, path: str) -> None:
        """Takes a file out of its folder; it can be brought back. Raises NotFound."""

    def restore_from_bin(self, path: str) -> None:
        """Brings a file back to where it was. Raises NotFound, or DiskProblem if another took its place."""
