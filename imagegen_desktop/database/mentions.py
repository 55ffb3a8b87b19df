"""Which pictures that jobs start from are spoken of anywhere in the library."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .connection import Database, Library
from .tables import FactRow, ImageRow, JobRow, StyleRow

_HASH = re.compile(r"[0-9a-f]{64}")


def mentioned_hashes(library: Library) -> set[str]:
    """Every SHA-256 in a request of a job or an image, whatever has become of it, and in all that is remembered by
    name: the draft, undo. Rather one too many than one too few."""
    return library.read(lambda db: {found for text in _texts(db) for found in _HASH.findall(text)})


def _texts(db: Database) -> Iterator[str]:
    for column in (JobRow.request, ImageRow.request, FactRow.value, StyleRow.picture):
        for (text,) in db.execute(column.model.select(column)):
            yield text
