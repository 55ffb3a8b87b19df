"""The way back from a damaged library: is it sound, set it aside, put the newest good copy in its place."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import apsw

from .backups import backup_stamps, copy_database, name_of
from .failures import plainly
from .migrations import STEPS


def is_sound(path: Path, thorough: bool = False) -> bool:
    """Whether a closed or backed-up library file is whole and holds nothing but our own tables and triggers."""
    if not path.is_file():
        return False
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.set_busy_timeout(5000)
            connection.pragma("trusted_schema", 0)
            connection.pragma("cell_size_check", 1)
            version = int(connection.pragma("user_version"))
            check = "integrity_check(1)" if thorough else "quick_check(1)"
            whole = [row[0] for row in connection.execute(f"PRAGMA {check}")] == ["ok"]
            return whole and 0 < version <= len(STEPS) and _schema(connection) == _our_schema(version)
        finally:
            connection.close()
    except apsw.Error:
        return False


def quarantine(path: Path, now: datetime) -> Path:
    """Renames a damaged library and its journals; nothing is deleted. Returns where the library lies now."""
    aside = path.with_name(f"{path.stem}-corrupt-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{path.suffix}")
    for ending in ("-wal", "-shm", ""):
        file = path.with_name(path.name + ending)
        if file.exists():
            file.rename(aside.with_name(aside.name + ending))
    return aside


def restore_newest(backups: Path, path: Path) -> Path | None:
    """Copies the newest sound backup to `path`, where nothing may be; which one it was, or None without one.

    The library gets another identity: images made since then will be numbered like ones that were lost.
    """
    for stamp in reversed(backup_stamps(backups)):
        backup = backups / name_of(stamp)
        if not is_sound(backup):
            continue
        with plainly(path):
            _copy(backup, path)
        return backup
    return None


def _copy(backup: Path, path: Path) -> None:
    source = apsw.Connection(str(backup), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        copy_database(source, path)
    finally:
        source.close()
    os.chmod(path, 0o600)
    restored = apsw.Connection(str(path))
    try:
        restored.execute("UPDATE facts SET value = lower(hex(randomblob(16))) WHERE name = 'library_id'")
    finally:
        restored.close()


def _schema(connection: apsw.Connection) -> set[tuple[str, str]]:
    """Names and statements, whatever their line breaks."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(name, " ".join(sql.split())) for name, sql in rows}


def _our_schema(version: int) -> set[tuple[str, str]]:
    blank = apsw.Connection(":memory:")
    try:
        for step in STEPS[:version]:
            step(blank)
        return _schema(blank)
    finally:
        blank.close()
