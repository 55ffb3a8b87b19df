"""Turns what SQLite says into the program's own errors, with advice an artist can follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw
from peewee import PeeweeException

from ..domain.errors import DatabaseProblem, DiskProblem, Problem


class Damaged(DatabaseProblem):
    """The file does not hold what we wrote into it."""


class UnreadableRow(Exception):
    """A row that nobody of us can have written like this."""


#: What may be said of a damaged file. An `SQLError` because names of tables can be damaged too.
SUSPICIOUS = (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, UnreadableRow, UnicodeDecodeError)


def mark_of(path: Path) -> Path:
    """The file that says: look closely at this database before it is opened the next time."""
    return path.with_name(f"{path.name}-suspect")


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Lets no error of apsw or Peewee leave the folder."""
    try:
        yield
    except (apsw.Error, PeeweeException, UnreadableRow, UnicodeDecodeError) as error:
        if isinstance(_cause(error), SUSPICIOUS):
            with suppress(OSError):
                mark_of(path).touch(0o600)
        raise in_plain_words(error, path) from error
    except OSError as error:
        where = error.filename or path.parent
        raise DiskProblem(
            f"{where} cannot be written: {error.strerror or error}.", "Check that disk and folder."
        ) from error


def in_plain_words(error: Exception, path: Path) -> Problem:
    """The Problem that names what SQLite ran into."""
    cause = _cause(error)
    if isinstance(cause, apsw.FullError):
        return DiskProblem(f"The disk of {path.parent} is full.", "Free some space; nothing that was saved is lost.")
    if isinstance(cause, apsw.ReadOnlyError | apsw.CantOpenError | apsw.PermissionsError):
        return DiskProblem(f"The library {path} cannot be written.", "Make its folder writable, or choose another.")
    if isinstance(cause, apsw.IOError):
        return DiskProblem(f"The disk fails on {path}: {cause}.", "Check the disk and its cable, then start again.")
    if isinstance(cause, apsw.BusyError | apsw.LockedError):
        return DatabaseProblem(f"The library {path} is in use by another program.", "Close that program and try again.")
    if isinstance(cause, apsw.CorruptError | apsw.NotADBError | UnreadableRow | UnicodeDecodeError):
        return Damaged(f"The library {path} is damaged.", "Close the program and start it again: it puts that right.")
    return DatabaseProblem(f"The library {path} refused: {cause}.", "Please report this.")


def is_full(error: Exception) -> bool:
    """Whether there was no space for what was written."""
    return isinstance(_cause(error), apsw.FullError)


def _cause(error: Exception) -> object:
    return getattr(error, "orig", error)  # what Peewee wrapped
