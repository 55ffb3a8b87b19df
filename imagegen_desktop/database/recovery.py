"""The way back from a damaged library: is it sound, set it aside, put the newest good copy in its place.

Nothing is deleted. What was done stands in a note beside the library until the artist was told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from ..domain.errors import BadInput
from .backups import backup_stamps, copy_database, name_of
from .failures import UnreadableRow, mark_of, plainly
from .migrations import STEPS, schema, schema_of
from .restored import note_restored
from .rows import image_from_row, job_from_row


@dataclass(frozen=True, kw_only=True)
class PutRight:
    """What was done to a damaged library: `kept` names the damaged file, empty where there was none; `backup` is when
    the copy in its place was made (UTC, ISO 8601), empty for a new library."""

    kept: str = ""
    backup: str = ""


def is_suspect(path: Path, backups: Path) -> bool:
    """Whether the file of a closed library is gone or empty though there was one, or could not be read the last time.
    A few looks at the folder: this is asked at every start."""
    if mark_of(path).exists():
        return True
    try:
        empty = path.stat().st_size == 0
    except OSError:
        empty = True
    return empty and bool(backup_stamps(backups))


def put_right(path: Path, backups: Path, now: datetime) -> bool:
    """Replaces a library that is not sound by its newest sound backup, or leaves its place empty; False for a sound
    one, which stays. Nobody may have it open. Raises DiskProblem."""
    mark = mark_of(path)
    if is_sound(path):
        mark.unlink(missing_ok=True)
        return False
    before = what_was_done(path) or PutRight()  # we died in the middle of it
    with plainly(path):
        aside = _free_name(path, now)
        kept = aside.name if path.exists() else before.kept
        note_restored(path, now)
        _write_note(path, PutRight(kept=kept))
        quarantine(path, aside)
        backup = restore_newest(backups, path)
        _write_note(path, PutRight(kept=kept, backup=backup.isoformat() if backup else ""))
        mark.unlink(missing_ok=True)
    return True


def what_was_done(path: Path) -> PutRight | None:
    """What `put_right` did and nobody has told the artist yet."""
    try:
        return PutRight(**json.loads(_note_of(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        return PutRight()


def has_been_told(path: Path) -> None:
    """Forgets what was done."""
    _note_of(path).unlink(missing_ok=True)


def is_sound(path: Path) -> bool:
    """Whether a closed or backed-up library file is whole, holds nothing but our own tables and triggers, and every
    row of it can be read."""
    if not path.is_file():
        return False
    try:
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            connection.set_busy_timeout(5000)
            connection.pragma("trusted_schema", 0)
            connection.pragma("cell_size_check", 1)
            version = int(connection.pragma("user_version"))
            whole = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")] == ["ok"]
            ours = 0 < version <= len(STEPS) and schema(connection) == schema_of(STEPS[:version])
            return whole and ours and _is_readable(connection)
    except (apsw.Error, UnreadableRow, UnicodeDecodeError):
        return False


def _is_readable(connection: apsw.Connection) -> bool:
    for table, read in (("jobs", job_from_row), ("images", image_from_row), ("facts", tuple), ("styles", tuple)):
        for row in connection.execute(f"SELECT * FROM {table}"):
            _of_this_program(read, row)
    return True


def _of_this_program(read: Callable[[Sequence[Any]], object], row: Sequence[Any]) -> None:
    with suppress(BadInput):  # what a newer program wished for is no damage
        read(row)


def quarantine(path: Path, aside: Path) -> None:
    """Renames a damaged library and its journals."""
    for ending in ("-wal", "-shm", ""):
        file = path.with_name(path.name + ending)
        if file.exists():
            file.rename(aside.with_name(aside.name + ending))


def restore_newest(backups: Path, path: Path) -> datetime | None:
    """Copies the newest sound backup to `path`, where nothing may be; when it was made, or None without one.

    The library gets another identity: images made since then will be numbered like ones that were lost.
    """
    for stamp in reversed(backup_stamps(backups)):
        if is_sound(backups / name_of(stamp)):
            with plainly(path):
                _copy(backups / name_of(stamp), path)
            return stamp
    return None


def _copy(backup: Path, path: Path) -> None:
    with closing(apsw.Connection(str(backup), flags=apsw.SQLITE_OPEN_READONLY)) as source:
        copy_database(source, path)
    os.chmod(path, 0o600)
    with closing(apsw.Connection(str(path))) as restored:
        restored.execute("UPDATE facts SET value = lower(hex(randomblob(16))) WHERE name = 'library_id'")


def _free_name(path: Path, now: datetime) -> Path:
    stem = f"{path.stem}-corrupt-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    names = (path.with_name(f"{stem}{ending}{path.suffix}") for ending in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if not name.exists())


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-put-right")


def _write_note(path: Path, done: PutRight) -> None:
    part = _note_of(path).with_suffix(".part")
    part.write_text(json.dumps(asdict(done)), encoding="utf-8")
    part.replace(_note_of(path))
