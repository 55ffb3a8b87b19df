"""Copies of the library and the rule by which they are thinned; and the way back from them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from imagegen_desktop.database.backups import backup_stamps, is_due, name_of, to_remove
from imagegen_desktop.database.connection import Library, open_library
from imagegen_desktop.database.facts import get_fact, library_id, set_fact
from imagegen_desktop.database.recovery import is_sound, put_right, what_was_done
from imagegen_desktop.database.restored import was_just_restored
from imagegen_desktop.domain.errors import DiskProblem

NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)  # every file is older than that


def _simulated(days: int, hours: int) -> list[datetime]:
    """What is left of backups made every so many hours for that long."""
    stamps: list[datetime] = []
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    for _ in range(days * 24 // hours):
        moment += timedelta(hours=hours)
        stamps.append(moment)
        stamps = sorted(set(stamps) - set(to_remove(stamps, moment)))
    return stamps


@pytest.mark.parametrize("hours", [2, 24])
def test_a_year_of_backups_keeps_days_weeks_and_months(hours: int) -> None:
    left = _simulated(365, hours)
    newest = left[-1]
    ages = [(newest.date() - stamp.date()).days for stamp in left]
    recent = [age for age in ages if age < 2]
    assert 24 // hours < len(recent) <= 48 // hours
    assert set(range(14)) <= set(ages)  # two whole days and twelve daily ones
    assert len(left) - len(recent) <= 12 + 10 + 9
    assert max(ages) > 250
    assert left == sorted(left)


def test_thinning_never_takes_the_only_one_nor_those_of_a_wrong_clock() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    ancient, future = datetime(2019, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
    assert to_remove([ancient], now) == []
    assert to_remove([ancient, future], now) == []
    assert to_remove([], now) == []


def test_two_backups_are_half_an_hour_apart_whatever_the_clock_said_once() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert is_due([], now)
    assert not is_due([now - timedelta(minutes=29)], now)
    assert is_due([now - timedelta(minutes=30)], now)
    assert is_due([now + timedelta(days=400)], now)


def test_a_backup_is_whole_read_only_and_only_made_when_something_changed(library: Library) -> None:
    set_fact(library, "kept", "yes")
    made = library.back_up(NOW)
    assert made is not None
    assert made.name == name_of(NOW)
    assert made.stat().st_mode & 0o777 == 0o400
    assert is_sound(made)
    assert library.back_up(NOW + timedelta(minutes=29)) is None
    assert library.back_up(NOW + timedelta(hours=2)) is None  # unchanged
    later = (NOW + timedelta(hours=3)).timestamp()
    os.utime(library.path.with_name(library.path.name + "-wal"), (later, later))
    assert library.back_up(NOW + timedelta(hours=4)) is not None
    assert backup_stamps(library.backups) == [NOW, NOW + timedelta(hours=4)]
    assert not list(library.backups.glob("*.part"))


def test_a_backups_folder_that_cannot_be_written_is_named(library: Library) -> None:
    library.backups.write_bytes(b"a file where a folder should be")
    with pytest.raises(DiskProblem, match="backups"):
        library.back_up(NOW)


def test_a_damaged_library_is_set_aside_and_the_newest_good_backup_takes_its_place(tmp_path: Path) -> None:
    path, backups = tmp_path / "library.sqlite3", tmp_path / "backups"
    with open_library(path, backups) as library:
        set_fact(library, "day", "one")
        library.back_up(NOW - timedelta(days=1, hours=-1))
        identity = library_id(library)
    (backups / name_of(NOW)).write_bytes(b"SQLite format 3\0 but not really" * 300)  # the newest is bad
    path.write_bytes(path.read_bytes()[:5000])
    assert not is_sound(path)
    damaged = path.read_bytes()
    assert put_right(path, backups, NOW)
    done = what_was_done(path)
    assert done is not None
    assert (tmp_path / done.kept).read_bytes() == damaged
    assert done.backup == (NOW - timedelta(days=1, hours=-1)).isoformat()
    with open_library(path, backups) as library:
        assert get_fact(library, "day") == "one"
        assert library_id(library) != identity  # its image numbers may be given away again
        set_fact(library, "writable", "again")


def test_for_a_day_after_a_restore_no_copy_is_thinned_out(tmp_path: Path) -> None:
    path, backups = tmp_path / "library.sqlite3", tmp_path / "backups"
    with open_library(path, backups) as library:
        set_fact(library, "day", "one")
        made = library.back_up(NOW - timedelta(days=40))
    assert made is not None
    old = [NOW - timedelta(days=40, minutes=minutes) for minutes in (10, 20, 30)]
    for stamp in old:  # of which one a day is enough
        (backups / name_of(stamp)).write_bytes(made.read_bytes())
    path.write_bytes(b"no library")
    assert put_right(path, backups, NOW)
    assert not put_right(path, backups, NOW + timedelta(hours=5)), "what is sound now is no restore"
    with open_library(path, backups) as library:
        assert library.back_up(NOW + timedelta(hours=23)) is not None
        assert set(old) <= set(backup_stamps(backups))
        later = (NOW + timedelta(hours=24)).timestamp()
        os.utime(path, (later, later))
        assert library.back_up(NOW + timedelta(hours=24)) is not None
        assert not set(old) & set(backup_stamps(backups))
        assert made.exists(), "the newest of its day stays"


@pytest.mark.parametrize("said", ["", "not a moment", "2090-01-01T00:00:00+00:00", "2026-01-01"])
def test_after_a_wrong_clock_the_day_begins_once_and_ends(tmp_path: Path, said: str) -> None:
    path = tmp_path / "library.sqlite3"
    path.with_name(f"{path.name}-restored").write_text(said)
    assert was_just_restored(path, NOW)
    assert was_just_restored(path, NOW + timedelta(hours=23))
    assert not was_just_restored(path, NOW + timedelta(hours=24))


def test_without_a_good_backup_nothing_is_restored(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    path.write_bytes(b"no library")
    assert put_right(path, tmp_path / "none", NOW)
    assert not path.exists()
    assert [file.read_bytes() for file in tmp_path.glob("library-corrupt-*")] == [b"no library"]


def test_a_hostile_backup_is_not_sound(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    open_library(path, tmp_path / "backups").close()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TRIGGER evil AFTER INSERT ON facts BEGIN DELETE FROM images; END")
    connection.close()
    assert not is_sound(path)
