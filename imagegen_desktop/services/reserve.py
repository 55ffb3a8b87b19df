"""The library and the space kept in reserve for it: a full disk takes the one from the other."""

from __future__ import annotations

from collections.abc import Callable

from ..database.connection import Library, open_library
from ..domain.errors import DiskProblem
from ..paths import Home
from ..storage.ballast import Ballast
from .announce import Announcer


def open_with_reserve(home: Home, announce: Announcer) -> tuple[Library, Callable[[], None]]:
    """The library, also where only the reserve lets it be opened; and what takes the space, to be called off the
    window's thread. What was given back is taken again when something happens and there is space."""
    ballast = Ballast(home.root)
    try:
        library = open_library(home.database, home.backups)
    except DiskProblem:
        if not ballast.give_back():
            raise
        library = open_library(home.database, home.backups)
    library.make_space = ballast.give_back
    announce.subscribe(lambda _: ballast.keep_again())
    return library, ballast.keep
