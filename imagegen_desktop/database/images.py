"""The history's rows: finished images by number, newest first, searched, rated, tagged and binned."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ..domain.checks import check_whole
from ..domain.errors import BadInput, NotFound
from ..domain.image import GeneratedImage
from .connection import Database, Library
from .jobs import count_image
from .rows import image_from_row, image_values, request_from_json, storable
from .selection import EVERYTHING, ImageFilter, select_count, select_numbers, select_rows
from .tables import ImageRow, columns

T = TypeVar("T")

_COLUMNS = columns(ImageRow)
_NAMES = [column.column_name for column in _COLUMNS if column is not ImageRow.number]
_CHUNK = 500

# Written out for what is done with ten thousand images in a row: Peewee takes longer to say it than SQLite to do it.
_SELECT = f"SELECT number, {', '.join(_NAMES)} FROM images WHERE"
_INSERT = f"INSERT INTO images ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"


class Images:
    """All images of a library. The bin holds the deleted ones."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def add(self, image: GeneratedImage, finished: str = "") -> GeneratedImage:
        """Records an image and counts it for its job (done with the last one, at `finished`), in one transaction.

        Job and index make an image: if the pair is there already, its row is returned and nothing changes.
        """

        def insert(db: Database) -> GeneratedImage:
            there = _selected(db, "job = ? AND idx = ?", image.job, image.index)
            if there:
                return there[0]
            values = image_values(image)
            db.execute_sql(_INSERT, [values[name] for name in _NAMES])
            count_image(db, image.job, finished or image.created)
            return _image(db, image.id)

        return self._library.write(insert)

    def together(self, calls: Callable[[], T]) -> T:
        """Runs several calls of this library as one transaction: all or none, and written to the disk once."""
        return self._library.write(lambda db: calls())

    def get(self, image_id: str) -> GeneratedImage:
        """One image, also out of the bin; raises NotFound."""
        return self._library.read(lambda db: _image(db, image_id))

    def page(
        self, after_number: int | None = None, limit: int = 100, query: str = "", filters: ImageFilter = EVERYTHING
    ) -> tuple[GeneratedImage, ...]:
        """The newest images below `after_number` (the last page's lowest), newest first."""
        statement = select_rows(query, filters, after_number, limit)
        return self._library.read(lambda db: tuple(map(image_from_row, db.execute_sql(*statement))))

    def numbers(self, query: str = "", filters: ImageFilter = EVERYTHING) -> array[int]:
        """The numbers of all images that match, newest first: what a grid of a million cells needs."""
        statement = select_numbers(query, filters)
        return self._library.read(lambda db: array("q", (row[0] for row in db.execute_sql(*statement))))

    def count(self, query: str = "", filters: ImageFilter = EVERYTHING) -> int:
        """How many images match."""
        statement = select_count(query, filters)
        return self._library.read(lambda db: int(next(iter(db.execute_sql(*statement)))[0]))

    def rows(self, numbers: Sequence[int]) -> tuple[GeneratedImage, ...]:
        """The images of these numbers in the order asked; numbers that are gone are left out."""

        def fetch(db: Database) -> dict[int, GeneratedImage]:
            queries = (_all().where(ImageRow.number.in_(chunk)) for chunk in _chunks(numbers))
            return {image.number: image for query in queries for image in _images(db, query)}

        by_number = self._library.read(fetch)
        return tuple(by_number[number] for number in numbers if number in by_number)

    def made_by(self, job: str, index: int, image_id: str = "") -> GeneratedImage | None:
        """The image a job made at that index, or else the one of that ID; empty names are nobody's."""

        def find(db: Database) -> tuple[GeneratedImage, ...]:
            found = _selected(db, "job = ? AND idx = ?", job, index) if job else ()
            return found or (_selected(db, "id = ?", image_id) if image_id else ())

        return next(iter(self._library.read(find)), None)

    def find_same_request(self, key: bytes, model_hash: str = "") -> GeneratedImage | None:
        """The newest image of the gallery whose request has that key (`request_key`), and that model's if named."""
        wanted = (ImageRow.request_key == key) & (ImageRow.deleted == "") & (ImageRow.missing == 0)
        return self._first(wanted & (ImageRow.model_hash == model_hash) if model_hash else wanted)

    def rate(self, ids: Sequence[str], rating: int) -> None:
        """Gives images 0 to 5 stars."""
        check_whole("rating", rating, 0, 5)
        self._change(ids, {"rating": rating})

    def tag(self, ids: Sequence[str], add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Adds tags and takes others away; a tag is words on one line."""
        added = [_tidy_tag(tag) for tag in add]
        removed = {_tidy_tag(tag) for tag in remove}

        def change(db: Database, image: GeneratedImage) -> None:
            kept = [tag for tag in dict.fromkeys([*image.tags, *added]) if tag not in removed]
            _update(db, image.id, {"tags": "\n".join(kept)})

        self._for_each(ids, change)

    def bin(self, ids: Sequence[str], deleted: str) -> None:
        """Takes images out of the gallery; `deleted` is when (UTC, ISO 8601)."""
        self._change(ids, {"deleted": deleted})

    def restore(self, ids: Sequence[str]) -> None:
        """Brings images back from the bin."""
        self._change(ids, {"deleted": ""})

    def mark_missing(self, ids: Sequence[str], missing: bool = True) -> None:
        """Notes that the files of images are gone (or there again); the rows stay."""
        self._change(ids, {"missing": int(missing)})

    def disagrees(self, image: GeneratedImage) -> bool:
        """Whether any column of its row says something else."""
        return bool(self._library.read(lambda db: _differences(db, image)))

    def correct(self, image: GeneratedImage) -> None:
        """Makes its row say all that, whatever it said before; it keeps its number."""

        def change(db: Database) -> None:
            differing = _differences(db, image)
            if differing:
                _update(db, image.id, differing)

        self._library.write(change)

    def _first(self, wanted: Any) -> GeneratedImage | None:
        query = _all().where(wanted).order_by(ImageRow.number.desc()).limit(1)
        return next(iter(self._library.read(lambda db: _images(db, query))), None)

    def _change(self, ids: Sequence[str], values: dict[str, Any]) -> None:
        self._for_each(ids, lambda db, image: _update(db, image.id, values))

    def _for_each(self, ids: Sequence[str], change: Callable[[Database, GeneratedImage], None]) -> None:
        """All or none, in one transaction; raises NotFound."""

        def change_all(db: Database) -> None:
            for image_id in ids:
                change(db, _image(db, image_id))

        self._library.write(change_all)


def _all() -> Any:
    return ImageRow.select(*_COLUMNS)


def _images(db: Database, query: Any) -> tuple[GeneratedImage, ...]:
    return tuple(image_from_row(row) for row in db.execute(query))


def _selected(db: Database, where: str, *values: object) -> tuple[GeneratedImage, ...]:
    return tuple(image_from_row(row) for row in db.execute_sql(f"{_SELECT} {where}", values))


def _differences(db: Database, image: GeneratedImage) -> dict[str, Any]:
    """What the row lacks of the image. The same request may be written in several ways."""
    (row,) = db.execute_sql(f"{_SELECT} id = ?", [image.id])
    said = dict(zip(_NAMES, row[1:], strict=True))
    wanted = image_values(image)
    if request_from_json(said["request"]) == image.request:
        wanted["request"] = said["request"]
    return {name: value for name, value in wanted.items() if value != said[name]}


def _image(db: Database, image_id: str) -> GeneratedImage:
    found = _selected(db, "id = ?", image_id)
    if not found:
        raise NotFound(f"There is no image {image_id}.")
    return found[0]


def _update(db: Database, image_id: str, values: dict[str, Any]) -> None:
    ImageRow.update(**values).where(ImageRow.id == image_id).execute(db)


def _tidy_tag(tag: str) -> str:
    tidy = " ".join(storable(tag).split())
    if not tidy:
        raise BadInput("tag", tag, "a word or a few")
    return tidy


def _chunks(numbers: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), _CHUNK):
        yield list(numbers[start : start + _CHUNK])
