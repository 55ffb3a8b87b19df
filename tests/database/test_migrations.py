"""A library of any age opens: new, of today, older with a copy taken first, and newer with a refusal."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from imagegen_desktop.database.connection import open_library
from imagegen_desktop.database.facts import get_fact, library_id, set_fact
from imagegen_desktop.database.images import Images
from imagegen_desktop.database.migrations import STEPS, migrate
from imagegen_desktop.domain.errors import DatabaseProblem


def test_an_empty_file_becomes_a_library_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "library.sqlite3"
    with open_library(path, tmp_path / "backups") as library:
        identity = library_id(library)
        set_fact(library, "paused", "yes")
    with open_library(path, tmp_path / "backups") as library:
        assert (library_id(library), get_fact(library, "paused")) == (identity, "yes")
    assert not (tmp_path / "backups").exists()


def test_an_older_library_is_copied_then_brought_up_to_date(tmp_path: Path) -> None:
    path, backups = tmp_path / "library.sqlite3", tmp_path / "backups"
    with open_library(path, backups) as library:
        set_fact(library, "kept", "yes")
    connection = apsw.Connection(str(path))
    migrate(connection, path, backups, [*STEPS, lambda c: c.execute("ALTER TABLE images ADD COLUMN mood TEXT")])
    assert connection.pragma("user_version") == len(STEPS) + 1
    assert "mood" in {row[1] for row in connection.execute("PRAGMA table_info(images)")}
    connection.close()
    (copy,) = backups.iterdir()
    assert copy.name.startswith(f"library-before-version-{len(STEPS) + 1}-")
    assert copy.stat().st_mode & 0o777 == 0o400
    old = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    assert old.pragma("user_version") == len(STEPS)
    assert list(old.execute("SELECT value FROM facts WHERE name = 'kept'")) == [("yes",)]
    old.close()


def test_a_step_that_fails_leaves_the_old_library_whole(tmp_path: Path) -> None:
    def fails(connection: apsw.Connection) -> None:
        connection.execute("DROP TABLE styles")
        connection.execute("this is no statement")

    path = tmp_path / "library.sqlite3"
    open_library(path, tmp_path / "backups").close()
    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.SQLError):
        migrate(connection, path, tmp_path / "backups", [*STEPS, fails])
    assert connection.pragma("user_version") == len(STEPS)
    assert list(connection.execute("SELECT count(*) FROM styles")) == [(0,)]
    connection.close()
    with open_library(path, tmp_path / "backups") as library:
        assert Images(library).count() == 0


def test_a_newer_library_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 999)
    connection.execute("CREATE TABLE from_the_future (x)")
    connection.close()
    with pytest.raises(DatabaseProblem, match="newer version"):
        open_library(path, tmp_path / "backups")
    connection = apsw.Connection(str(path))
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["from_the_future"]
    connection.close()
