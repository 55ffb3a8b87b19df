"""Small things to remember by name: whether the queue is paused, when a check ran last."""

from __future__ import annotations

from collections.abc import Collection

from .connection import Library
from .tables import FactRow


def get_fact(library: Library, name: str, default: str = "") -> str:
    """What was last set under that name, in whatever process."""
    query = FactRow.select(FactRow.value).where(FactRow.name == name)
    rows: list[tuple[str]] = library.read(lambda db: list(db.execute(query)))
    return rows[0][0] if rows else default


def set_fact(library: Library, name: str, value: str) -> None:
    """Remembers a value durably."""
    library.write(lambda db: FactRow.insert(name=name, value=value).on_conflict("REPLACE").execute(db))


def drop_facts(library: Library, names: Collection[str]) -> None:
    """Forgets what was set under these names."""
    rows = [(name,) for name in names]
    library.write(lambda db: db.connection().executemany("DELETE FROM facts WHERE name = ?", rows))


def library_id(library: Library) -> str:
    """A random name given to this library when it was made."""
    return get_fact(library, "library_id")
