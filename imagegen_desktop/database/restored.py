"""When a library was put back last: until a day has passed, nothing that it came from is thinned out, for the artist
may find only then what it lacks."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

#: How long there is to find out.
PAUSE = timedelta(days=1)


def note_restored(library: Path, now: datetime) -> None:
    """Remembers it beside the library; raises OSError."""
    part = _note_of(library).with_suffix(".part")
    part.write_text(now.astimezone(UTC).isoformat(), encoding="utf-8")
    part.replace(_note_of(library))


def was_just_restored(library: Path, now: datetime) -> bool:
    """Whether that was less than a day ago; where a clock was wrong or the note cannot be read, the day begins now."""
    try:
        restored = datetime.fromisoformat(_note_of(library).read_text(encoding="utf-8"))
        if restored <= now:
            return now - restored < PAUSE
    except FileNotFoundError:
        return False
    except (OSError, ValueError, TypeError):
        pass
    with suppress(OSError):
        note_restored(library, now)
    return True


def _note_of(library: Path) -> Path:
    return library.with_name(f"{library.name}-restored")
