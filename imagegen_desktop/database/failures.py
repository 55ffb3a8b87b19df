"""Turns what SQLite says into the program's own errors, with advice an artist can follow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
from peewee import PeeweeException

from ..domain.errors import DatabaseProblem, DiskProblem, Problem


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Lets no error of apsw or Peewee leave the folder."""
    try:
        yield
    except (apsw.Error, PeeweeException) as error:
        raise in_plain_words(error, path) from error
    except OSError as error:
        where = error.filename or path.parent
        raise DiskProblem(
            f"{where} cannot be written: {error.strerror or error}.", "Check that disk and folder."
        ) from error


def in_plain_words(error: Exception, path: Path) -> Problem:
    """The Problem that names what SQLite ran into."""
    cause = getattr(error, "orig", error)  # what Peewee wrapped
    if isinstance(cause, apsw.FullError):
        return DiskProblem(f"The disk of {path.parent} is full.", "Free some space; nothing that was saved is lost.")
    if isinstance(cause, apsw.ReadOnlyError | apsw.CantOpenError | apsw.PermissionsError):
        return DiskProblem(f"The library {path} cannot be written.", "Make its folder writable, or choose another.")
    if isinstance(cause, apsw.IOError):
        return DiskProblem(f"The disk fails on {path}: {cause}.", "Check the disk and its cable, then start again.")
    if isinstance(cause, apsw.BusyError | apsw.LockedError):
        return DatabaseProblem(f"The library {path} is in use by another program.", "Close that program and try again.")
    if isinstance(cause, apsw.CorruptError | apsw.NotADBError):
        return DatabaseProblem(f"The library {path} is damaged.", "Your images are safe; let the program rebuild it.")
    return DatabaseProblem(f"The library {path} refused: {cause}.", "Please report this.")
