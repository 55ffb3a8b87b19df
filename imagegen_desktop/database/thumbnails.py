"""A cache of small pictures by image number, in a file of its own that may be deleted at any time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import apsw

from .failures import mark_of, plainly

_PRAGMAS = (("journal_mode", "WAL"), ("synchronous", "OFF"), ("trusted_schema", 0), ("mmap_size", 0))


class Thumbnails:
    """Encoded thumbnails of one library; any thread may ask. Another library's leftovers are thrown away."""

    def __init__(self, path: Path, library_id: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with plainly(path):
            try:
                if mark_of(path).exists():
                    raise apsw.CorruptError(f"{path} could not be read the last time")
                self._connection = _open(path, library_id)
            except (apsw.CorruptError, apsw.NotADBError):
                for leftover in path.parent.glob(path.name + "*"):
                    leftover.unlink()
                self._connection = _open(path, library_id)

    def put(self, number: int, data: bytes) -> None:
        """Keeps the thumbnail of one image."""
        self.put_many({number: data})

    def put_many(self, thumbnails: Mapping[int, bytes]) -> None:
        """Keeps several in one go."""
        with self._lock, plainly(self._path), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", thumbnails.items())

    def get_many(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Those that are there, by number."""
        found: dict[int, bytes] = {}
        with self._lock, plainly(self._path):
            for start in range(0, len(numbers), 500):
                chunk = list(numbers[start : start + 500])
                marks = ", ".join("?" * len(chunk))
                sql = f"SELECT number, data FROM thumbnails WHERE number IN ({marks})"
                found.update(self._connection.execute(sql, chunk))
        return found

    def close(self) -> None:
        """Closes the file; the cache cannot be asked afterwards."""
        with self._lock:
            self._connection.close()


def _open(path: Path, library_id: str) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(5000)
        for name, value in _PRAGMAS:
            connection.pragma(name, value)
        with connection:
            connection.execute("CREATE TABLE IF NOT EXISTS thumbnails (number INTEGER PRIMARY KEY, data BLOB NOT NULL)")
            connection.execute("CREATE TABLE IF NOT EXISTS belongs_to (library TEXT NOT NULL)")
            if [row[0] for row in connection.execute("SELECT library FROM belongs_to")] != [library_id]:
                connection.execute("DELETE FROM thumbnails; DELETE FROM belongs_to")
                connection.execute("INSERT INTO belongs_to VALUES (?)", (library_id,))
    except BaseException:
        connection.close()
        raise
    return connection
