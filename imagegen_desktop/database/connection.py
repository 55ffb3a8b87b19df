"""The library file: one writer thread for each process, read-only connections for everybody else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import apsw
from peewee import PeeweeException
from playhouse.apsw_ext import APSWDatabase

from ..domain.errors import DatabaseProblem, DiskProblem
from .backups import back_up as back_up_database
from .failures import SUSPICIOUS, is_full, plainly
from .in_use import InUse
from .migrations import TABLES, migrate
from .recovery import is_suspect, put_right
from .restored import was_just_restored

OLDEST_SQLITE = (3, 51, 3)
BUSY_MILLISECONDS = 5000
ALONE_SECONDS = 5.0

Database: TypeAlias = Any  # playhouse's APSWDatabase, which has no types
T = TypeVar("T")

_PRAGMAS: tuple[tuple[str, Any], ...] = (
    ("foreign_keys", 1),
    ("trusted_schema", 0),
    ("cell_size_check", 1),
    ("mmap_size", 0),
    ("synchronous", "FULL"),
    ("journal_size_limit", 64 * 2**20),
    *((("fullfsync", 1), ("checkpoint_fullfsync", 1)) if sys.platform == "darwin" else ()),
)


class Connections(APSWDatabase):  # type: ignore[misc]
    """Peewee's database over apsw, hardened, remembering its connections so that close() can end them all."""

    def __init__(self, path: Path, pragmas: tuple[tuple[str, Any], ...]) -> None:
        self.opened: set[apsw.Connection] = set()
        super().__init__(str(path), pragmas=pragmas, timeout=BUSY_MILLISECONDS / 1000)

    def _add_conn_hooks(self, conn: apsw.Connection) -> None:
        conn.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        super()._add_conn_hooks(conn)
        self.opened.add(conn)


class Library:
    """An open library. `write` and `read` are for the modules of this folder; errors come out as Problems."""

    def __init__(self, path: Path, backups: Path, in_use: InUse) -> None:
        self.path = path
        self.backups = backups
        self._in_use = in_use
        self._readers = Connections(path, (*_PRAGMAS, ("query_only", 1)))
        self._writer = Connections(path, _PRAGMAS)
        self._writer_ident = 0
        self._closing = threading.Lock()
        self._closed = False
        #: Asked when the disk is full: whether some space could be given back, so that it is worth another try.
        self.make_space: Callable[[], bool] = lambda: False
        self._thread = ThreadPoolExecutor(1, "library-writer", self._note_writer)
        self._seen_version = self._submit(self._data_version).result()

    def write(self, function: Callable[[Database], T]) -> T:
        """Runs `function` in one durable transaction on the writer thread and returns its result."""
        if self._is_writing():
            return function(self._writer)
        return self.write_soon(function).result()

    def write_soon(self, function: Callable[[Database], T]) -> Future[T]:
        """Like `write`, without waiting; the future also carries what went wrong."""
        return self._submit(lambda: self._in_transaction(function))

    def read(self, function: Callable[[Database], T]) -> T:
        """Runs `function` on this thread's read-only connection."""
        if self._closed:
            raise DatabaseProblem("The library is closed.")
        with plainly(self.path):
            return function(self._writer if self._is_writing() else self._readers)

    def changed_elsewhere(self) -> bool:
        """Whether another process has written since this was asked last; waits for pending writes."""
        version = self._submit(self._data_version).result()
        changed, self._seen_version = version != self._seen_version, version
        return bool(changed)

    def check(self) -> None:
        """Looks at every page and index (1.5 s for a million images); raises Damaged."""

        def look(db: Database) -> None:
            (finding,) = next(iter(db.execute_sql("PRAGMA integrity_check(1)")))
            if finding != "ok":
                raise apsw.CorruptError(finding)

        self.read(look)

    def back_up(self, now: datetime) -> Path | None:
        """Makes a checked copy in the backups folder when one is due; its path, or None."""
        with plainly(self.path):
            return back_up_database(self.path, self.backups, now)

    def was_just_restored(self) -> bool:
        """Whether it was put back less than a day ago: what it does not know yet may still be wanted."""
        return was_just_restored(self.path, datetime.now(UTC))

    def close(self) -> None:
        """Lets the pending writes finish, joins the writer and closes every connection."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._thread.shutdown()
        for database in (self._readers, self._writer):
            for connection in list(database.opened):
                connection.close()
        self._in_use.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _submit(self, wish: Callable[[], T]) -> Future[T]:
        with self._closing:
            if self._closed:
                raise DatabaseProblem("The library is closed.")
            return self._thread.submit(self._plainly, wish)

    def _plainly(self, wish: Callable[[], T]) -> T:
        with plainly(self.path):
            return wish()

    def _is_writing(self) -> bool:
        """Whether this call comes from inside a transaction, which it then belongs to."""
        return threading.get_ident() == self._writer_ident

    def _note_writer(self) -> None:
        self._writer_ident = threading.get_ident()

    def _in_transaction(self, function: Callable[[Database], T]) -> T:
        try:
            with self._writer.atomic("IMMEDIATE"):
                return function(self._writer)
        except (apsw.Error, PeeweeException) as error:
            if not is_full(error) or not self.make_space():
                raise
        with self._writer.atomic("IMMEDIATE"):
            return function(self._writer)

    def _data_version(self) -> int:
        return int(self._writer.pragma("data_version"))


def open_library(path: Path, backups: Path) -> Library:
    """Opens the library at `path`, making or migrating it; raises DatabaseProblem or DiskProblem.

    A damaged one is set aside first, and the newest sound backup or an empty library takes its place; what was done
    is in `recovery.what_was_done`.
    """
    check_sqlite(tuple(int(part) for part in apsw.sqlite_lib_version().split(".")))
    with plainly(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise DiskProblem(
                f"The folder {path.parent} cannot be made: {error.strerror}.", "Choose another home folder."
            ) from error
        in_use = InUse(path.parent)
        try:
            _make_sound(path, backups, in_use)
            return Library(path, backups, in_use)
        except BaseException:
            in_use.close()
            raise


def _make_sound(path: Path, backups: Path, in_use: InUse) -> None:
    """Leaves a library that can be opened, and the lock shared."""
    ends = time.monotonic() + ALONE_SECONDS
    while True:
        in_use.share()
        trouble = _trouble(path, backups)
        if trouble is None and not is_suspect(path, backups):
            return
        if in_use.alone():  # else others are about to put it right, or have it open
            replaced = put_right(path, backups, datetime.now(UTC))
            in_use.share()
            if replaced or trouble is not None:
                _prepare(path, backups)
            return
        if trouble is None:
            in_use.share()
            return  # others can use it, and so can we
        if time.monotonic() > ends:
            raise trouble
        time.sleep(0.05)


def _trouble(path: Path, backups: Path) -> Exception | None:
    """Why a library cannot be opened although it is there: something that may be damage."""
    if (not path.exists() or path.stat().st_size == 0) and is_suspect(path, backups):
        return apsw.CorruptError("it is gone")
    try:
        _prepare(path, backups)
    except SUSPICIOUS as error:
        return error
    return None


def check_sqlite(version: tuple[int, ...]) -> None:
    """Refuses a SQLite that can damage a database in WAL mode."""
    if version < OLDEST_SQLITE:
        raise DatabaseProblem(
            f"SQLite {'.'.join(map(str, version))} can damage the library.",
            f"Install apsw with SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer.",
        )


def _prepare(path: Path, backups: Path) -> None:
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        for name, value in _PRAGMAS:
            connection.pragma(name, value)
        _write_ahead(connection)
        migrate(connection, path, backups)
        for table in TABLES:
            connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchall()
        connection.execute("SELECT value FROM facts WHERE name = 'library_id'").fetchall()
    finally:
        connection.close()


def _write_ahead(connection: apsw.Connection) -> None:
    """Switches to the journal in which readers and a writer do not wait for each other. Of two that switch the same new
    file SQLite turns one away at once, without the patience it has elsewhere."""
    ends = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.pragma("journal_mode", "WAL")
            return
        except apsw.BusyError:
            if time.monotonic() >= ends:
                raise
            time.sleep(0.01)
