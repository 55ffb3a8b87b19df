"""Which images a search and its filters mean, as one SQL statement that reads newest first and never sorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .rows import storable
from .search import TextSearch, tag_search, text_search
from .tables import ImageRow, columns

ALL_COLUMNS = ", ".join(f"i.{column.column_name}" for column in columns(ImageRow))
_IN_BIN = "(SELECT number FROM images WHERE deleted <> '')"


@dataclass(frozen=True, kw_only=True)
class ImageFilter:
    """Which images to show; empty means any. `binned` shows the bin instead of the gallery."""

    style: str = ""
    model: str = ""
    provider: str = ""
    task: str = ""
    job: str = ""
    tag: str = ""
    least_rating: int = 0
    binned: bool = False


EVERYTHING = ImageFilter()

Statement = tuple[str, list[Any]]


def select_rows(query: str, filters: ImageFilter, after_number: int | None, limit: int) -> Statement:
    """Whole rows below `after_number`."""
    search = _search(query, filters)
    sources, number = _sources(search, filters)
    conditions, values = _conditions(search, filters, number)
    if after_number is not None:
        conditions.append(f"{number} < ?")
        values.append(after_number)
    sql = f"SELECT {ALL_COLUMNS} FROM {sources} WHERE {' AND '.join(conditions)} ORDER BY {number} DESC LIMIT ?"
    return sql, [*values, limit]


def select_numbers(query: str, filters: ImageFilter) -> Statement:
    """The numbers alone, newest first; read from indexes only where that is possible."""
    sources, number, conditions, values = _lean(query, filters)
    return f"SELECT {number} FROM {sources} WHERE {' AND '.join(conditions)} ORDER BY {number} DESC", values


def select_count(query: str, filters: ImageFilter) -> Statement:
    """How many they are."""
    sources, _, conditions, values = _lean(query, filters)
    return f"SELECT COUNT(1) FROM {sources} WHERE {' AND '.join(conditions)}", values


def _lean(query: str, filters: ImageFilter) -> tuple[str, str, list[str], list[Any]]:
    search = _search(query, filters)
    if search.wanted and filters == EVERYTHING:  # the bin is small and the join is dear
        return "images_text AS t", "t.rowid", *_words(search, "t.rowid", [f"t.rowid NOT IN {_IN_BIN}"])
    sources, number = _sources(search, filters)
    return sources, number, *_conditions(search, filters, number)


def _search(query: str, filters: ImageFilter) -> TextSearch:
    """The words looked for, a tag's among them: the text index finds it quicker than any scan."""
    search = text_search(query)
    wanted = " AND ".join(part for part in (search.wanted, tag_search(filters.tag)) if part)
    return TextSearch(wanted, search.unwanted)


def _sources(search: TextSearch, filters: ImageFilter) -> tuple[str, str]:
    """The tables to read from and the column that is the number."""
    if search.wanted:
        return "images_text AS t CROSS JOIN images AS i ON i.number = t.rowid", "t.rowid"
    return ("images AS i INDEXED BY images_rated" if filters.least_rating > 0 else "images AS i"), "i.number"


def _conditions(search: TextSearch, filters: ImageFilter, number: str) -> tuple[list[str], list[Any]]:
    conditions, values = _words(search, number, ["i.deleted <> ''" if filters.binned else "i.deleted = ''"])
    for name in ("style", "model", "provider", "task", "job"):
        if wanted := getattr(filters, name):
            conditions.append(f"i.{name} = ?")
            values.append(storable(wanted))
    if filters.least_rating > 0:
        conditions.append("i.rating > 0 AND i.rating >= ?")
        values.append(filters.least_rating)
    if filters.tag:
        conditions.append("instr(char(10) || i.tags || char(10), char(10) || ? || char(10))")
        values.append(storable(filters.tag))
    return conditions, values


def _words(search: TextSearch, number: str, conditions: list[str]) -> tuple[list[str], list[Any]]:
    values: list[Any] = []
    if search.wanted:
        conditions = [*conditions, "images_text MATCH ?"]
        values.append(search.wanted)
    if search.unwanted:
        matches = "SELECT rowid FROM images_text WHERE images_text MATCH ?"
        conditions = [*conditions, f"{number} NOT IN ({matches})"]
        values.append(search.unwanted)
    return conditions, values
