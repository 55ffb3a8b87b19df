"""Copies of the library: made while it is in use, proved whole before they count, thinned by age."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import apsw

from ..paths import sync_folder
from .restored import was_just_restored

LEAST_DISTANCE = timedelta(minutes=30)
KEPT_DAYS, KEPT_WEEKS, KEPT_MONTHS = 12, 10, 9

_NAME = re.compile(r"library-(\d{8}T\d{6}Z)\.sqlite3")
_STAMP = "%Y%m%dT%H%M%SZ"


def copy_database(source: apsw.Connection, target: Path) -> Path:
    """Writes a checked, durable, read-only copy of an open database to `target`; raises CorruptError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half_done = target.with_name(f"{target.name}.{os.getpid()}.part")
    half_done.unlink(missing_ok=True)
    try:
        _fill(source, half_done)
        _make_durable(half_done)
        half_done.chmod(0o400)
        half_done.replace(target)
        sync_folder(target.parent)
    finally:
        half_done.unlink(missing_ok=True)
    return target


def _fill(source: apsw.Connection, target: Path) -> None:
    copy = apsw.Connection(str(target))
    try:
        with copy.backup("main", source, "main") as backup:
            backup.step(-1)
        copy.execute("PRAGMA journal_mode=DELETE")
        findings = [row[0] for row in copy.execute("PRAGMA quick_check(1)")]
    finally:
        copy.close()
    if findings != ["ok"]:
        raise apsw.CorruptError(f"the copy is not sound: {findings[0]}")


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def back_up(database: Path, backups: Path, now: datetime) -> Path | None:
    """Makes today's copy and thins the old ones; None when nothing changed or the last is too young. Where the library
    was itself put back from one, all stay for a day."""
    stamps = backup_stamps(backups)
    if not is_due(stamps, now) or not _changed_since(database, max(stamps, default=None)):
        return None
    source = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        source.set_busy_timeout(5000)
        made = copy_database(source, backups / name_of(now))
    finally:
        source.close()
    for stamp in () if was_just_restored(database, now) else to_remove([*stamps, now], now):
        (backups / name_of(stamp)).unlink(missing_ok=True)
    return made


def backup_stamps(backups: Path) -> list[datetime]:
    """When the copies in a folder were made, oldest first; files of other names are left out."""
    names = [found for entry in backups.glob("library-*.sqlite3") if (found := _NAME.fullmatch(entry.name))]
    return sorted(datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC) for found in names)


def name_of(stamp: datetime) -> str:
    """The file name of a copy made at that moment."""
    return f"library-{stamp.astimezone(UTC).strftime(_STAMP)}.sqlite3"


def is_due(stamps: Iterable[datetime], now: datetime) -> bool:
    """Whether the newest copy is old enough for another; copies from the future (a wrong clock) do not count."""
    return all(now - stamp >= LEAST_DISTANCE for stamp in stamps if stamp <= now)


def to_remove(stamps: Sequence[datetime], now: datetime) -> list[datetime]:
    """Which copies to give up: all of today and yesterday stay, then 12 daily, 10 weekly, 9 monthly ones."""
    yesterday = now.date() - timedelta(days=1)
    older = sorted((stamp for stamp in stamps if stamp.date() < yesterday), reverse=True)
    removed: list[datetime] = []
    for period, quota in ((_day, KEPT_DAYS), (_week, KEPT_WEEKS), (_month, KEPT_MONTHS)):
        older, doubled = _newest_of_each(older, period, quota)
        removed += doubled
    return sorted(removed + older)


def _newest_of_each(
    stamps: Sequence[datetime], period: Callable[[date], tuple[int, ...]], quota: int
) -> tuple[list[datetime], list[datetime]]:
    """What is left for longer periods, and the doubles within these; the newest of each period is kept."""
    seen: set[tuple[int, ...]] = set()
    rest, doubled = [], []
    for stamp in stamps:
        key = period(stamp)
        if key in seen:
            doubled.append(stamp)
        elif len(seen) < quota:
            seen.add(key)
        else:
            rest.append(stamp)
    return rest, doubled


def _day(stamp: date) -> tuple[int, ...]:
    return stamp.year, stamp.month, stamp.day


def _week(stamp: date) -> tuple[int, ...]:
    return tuple(stamp.isocalendar()[:2])


def _month(stamp: date) -> tuple[int, ...]:
    return stamp.year, stamp.month


def _changed_since(database: Path, stamp: datetime | None) -> bool:
    """Judged by the files' times: the database itself must never be opened behind SQLite's back."""
    if stamp is None:
        return True
    wal = database.with_name(database.name + "-wal")
    times = [file.stat().st_mtime for file in (database, wal) if file.exists()]
    return any(time >= stamp.timestamp() for time in times)
