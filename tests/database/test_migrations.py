"""A library of any age opens: new, of today, older with a copy taken first, and newer with a refusal."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from imagegen_desktop.database.connection import open_library
from imagegen_desktop.database.facts import get_fact, library_id, set_fact
from imagegen_desktop.database.images import Images
from imagegen_desktop.database.jobs import Jobs
from imagegen_desktop.database.migrations import STEPS, migrate
from imagegen_desktop.database.recovery import is_sound
from imagegen_desktop.database.styles import Styles
from imagegen_desktop.domain.errors import DatabaseProblem
from imagegen_desktop.domain.job import JobState


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


OLD = Path(__file__).parent / "old"


@pytest.mark.parametrize("file", sorted(OLD.glob("version-*.sqlite3")), ids=lambda file: file.stem)
def test_a_real_library_of_every_older_version_opens_with_all_it_holds(tmp_path: Path, file: Path) -> None:
    path = tmp_path / "library.sqlite3"
    path.write_bytes(file.read_bytes())
    with open_library(path, tmp_path / "backups") as library:
        job, image, style = Jobs(library).get("job-1"), Images(library).get("image-1"), Styles(library).list()[0]
        assert (job.state, job.request.seed, job.request.loras[0].name) == (JobState.QUEUED, 2**64 - 1, "ink")
        assert (image.number, image.rating, image.tags, image.parents) == (1, 4, ("holiday",), ("image-0",))
        assert [found.id for found in Images(library).page(query="castle -fog")] == ["image-1"]
        assert (style.name, style.steps) == ("ink", 12)
        assert get_fact(library, "queue_paused") == "yes"
    assert len(list((tmp_path / "backups").iterdir())) == 1
    assert is_sound(path)


def test_every_older_version_has_its_real_file() -> None:
    files = {file.stem for file in OLD.iterdir()}
    assert files == {f"version-{number}" for number in range(1, len(STEPS))}
