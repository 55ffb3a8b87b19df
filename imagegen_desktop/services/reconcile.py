"""Reconciling: the image files and the rows of the library are made to say the same again. Deletes nothing, ever."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from ..database.connection import Library
from ..database.images import Images
from ..database.jobs import stamp
from ..database.selection import EVERYTHING, ImageFilter
from ..domain.identity import new_id
from ..domain.image import GeneratedImage
from ..imaging.decode import Decoder
from ..imaging.read_back import ReadBack, read_back
from ..imaging.recipe import Recipe
from ..storage.local import LocalStorage
from .announce import Announcer, ImagesChanged

Progress = Callable[[int, int], None]
T = TypeVar("T")

_PAGE = 500
#: After how many files, and how many seconds, what was found is written: more is never looked at twice.
_BATCH, _BATCH_SECONDS = 500, 0.5


class Found(Enum):
    """What a file turned out to be."""

    RIGHT = auto()
    NEW = auto()  # ours, and without a row
    MOVED = auto()  # its row names another place, where nothing is
    OUTDATED = auto()  # whole, but its row says something else
    DAMAGED = auto()  # not what its row says, nor another whole file of that picture
    SECOND = auto()  # its picture has its row and its file: drawn again after a crash, or copied
    STRANGER = auto()  # not ours


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What was found and mended; paths are relative to the home. `complete` unless it was stopped."""

    files: int = 0
    adopted: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A row and a file that do not match. `path` is relative to the home, `image` the ID of the row if there is one,
    `found` None where there is no file. One that is not `broken` costs nobody a picture."""

    path: str
    image: str
    found: Found | None
    broken: bool = True


class _Row(NamedTuple):
    """What has to be remembered of a million rows at once."""

    id: str
    path: str
    deleted: bool
    missing: bool


class _Rows:
    """All rows as they were when the look began. Those in the bin come first: a path is the gallery's before it is
    theirs."""

    def __init__(self, images: Iterable[GeneratedImage]) -> None:
        self.by_path: dict[str, _Row] = {}
        self.newest = 0
        self._hashes: set[bytes] = set()
        for image in images:
            self.by_path[image.path] = _Row(image.id, image.path, bool(image.deleted), image.missing)
            self.newest = max(self.newest, image.number)
            self._hashes.add(image.file_sha256.encode())

    def leave_a_doubt(self, file: ReadBack) -> bool:
        """Whether only its pixels can tell that a file is whole: its bytes are not those of any row."""
        known = file.recipe is not None or file.path in self.by_path
        return known and file.sha256.encode() not in self._hashes


class Reconciler:
    """Looks at all files and rows, in the background or on demand."""

    def __init__(
        self, library: Library, images: Images, storage: LocalStorage, decoder: Decoder, announce: Announcer
    ) -> None:
        self._library = library
        self._images = images
        self._storage = storage
        self._decoder = decoder
        self._announce = announce

    def reconcile(
        self,
        *,
        reread: bool = False,
        on_progress: Progress = lambda done, total: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Reconciled:
        """Adopts image files without a row, notes rows without a file and where a file was moved to; with `reread`
        every file is read, and its row made to say what it says. When it is stopped, what was found by then is kept.
        `on_progress` hears how many of how many files were read."""
        rows, files = self._rows(), self._files()
        wanted = {path: files[path] for path in sorted(files) if reread or path not in rows.by_path}
        found: dict[Found, list[str]] = defaultdict(list)
        with closing(self._read(wanted, rows, on_progress)) as reading:
            for batch in _batches(_until(should_stop, reading)):
                for file, what in zip(batch, self._images.together(partial(self._settle, batch, rows)), strict=True):
                    found[what].append(file.path)
        complete = sum(map(len, found.values())) == len(wanted)
        if found[Found.MOVED]:
            rows = self._rows()
        missing, noted = self._note_missing(rows, files) if complete else ([], False)
        if noted or found[Found.NEW] or found[Found.MOVED] or found[Found.OUTDATED]:
            self._announce.publish(ImagesChanged())
        return Reconciled(
            files=len(files),
            adopted=tuple(found[Found.NEW]),
            moved=tuple(found[Found.MOVED]),
            corrected=tuple(found[Found.OUTDATED]),
            missing=tuple(missing),
            damaged=tuple(found[Found.DAMAGED]),
            strangers=tuple(found[Found.STRANGER] + found[Found.SECOND]),
            complete=complete,
        )

    def verify(
        self,
        *,
        on_progress: Progress = lambda done, total: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Fault]:
        """Every row that has not its whole file, in the gallery or in the bin, and every file that has not its row;
        changes nothing. Raises Damaged when the library itself is."""
        self._library.check()
        rows, files = self._rows(), self._files()
        for row in rows.by_path.values():
            if row.deleted and row.path not in files and self._storage.is_binned(row.path):
                files[row.path] = self._storage.locate_binned(row.path)
        moved = set()
        with closing(self._read(dict(sorted(files.items())), rows, on_progress)) as reading:
            for file in _until(should_stop, reading):
                found, image = self._judge(file, rows)
                if image is not None and found is Found.MOVED:
                    moved.add(image.path)
                if found is not Found.RIGHT:
                    broken = found not in (Found.SECOND, Found.STRANGER)
                    yield Fault(path=file.path, image=image.id if image else "", found=found, broken=broken)
        for row in rows.by_path.values():
            if row.path not in files and row.path not in moved:
                yield Fault(path=row.path, image=row.id, found=None, broken=not row.deleted)

    def settle_bin(self, now: datetime) -> None:
        """Makes rows and files agree on what lies in the bin: the files are right."""
        for row in self._rows().by_path.values():
            here, binned = self._storage.exists(row.path), self._storage.is_binned(row.path)
            if not row.deleted and binned and not here:
                self._images.bin([row.id], stamp(now))
            elif row.deleted and here and not binned:
                self._images.restore([row.id])

    def _read(self, files: dict[str, Path], rows: _Rows, on_progress: Progress) -> Generator[ReadBack, None, None]:
        with closing(read_back(files.items(), rows.leave_a_doubt, self._decoder)) as reading:
            for done, file in enumerate(reading, 1):
                yield file
                on_progress(done, len(files))

    def _rows(self) -> _Rows:
        """Raises Damaged for a row that cannot be read."""
        return _Rows(image for filters in (ImageFilter(binned=True), EVERYTHING) for image in self._all(filters))

    def _all(self, filters: ImageFilter) -> Iterator[GeneratedImage]:
        after: int | None = None
        while page := self._images.page(after, _PAGE, filters=filters):
            yield from page
            after = page[-1].number

    def _files(self) -> dict[str, Path]:
        home = self._storage.home
        return {path.relative_to(home).as_posix(): path for path in (home / "images").rglob("*.png")}

    def _settle(self, files: list[ReadBack], rows: _Rows) -> list[Found]:
        """Writes what is to be written for each, within the caller's transaction."""
        settled = []
        for file in files:
            found, image = self._judge(file, rows)
            if found is Found.NEW:
                self._images.add(_adopted(file))
            elif image is not None and found is Found.MOVED:
                self._images.correct(replace(image, path=file.path, missing=False))
            elif image is not None and found is Found.OUTDATED:
                self._images.correct(_as_said(image, file))
            settled.append(found)
        return settled

    def _judge(self, file: ReadBack, rows: _Rows) -> tuple[Found, GeneratedImage | None]:
        """What a file is by the rows of this moment, and the image it is of where that has a row."""
        row = rows.by_path.get(file.path)
        if row is not None:
            image = self._images.get(row.id)
            return self._compared(file, image), image
        if file.recipe is None:
            return Found.STRANGER, None
        known = self._images.made_by(file.recipe.job, file.recipe.index, file.recipe.image)
        if known is None:
            return (Found.NEW if file.pixels else Found.DAMAGED), None
        if known.path == file.path:  # saved or moved here since the look began
            if known.number <= rows.newest:  # or hidden from whoever reads all rows
                self._library.check()
            return Found.RIGHT, known
        if known.deleted or self._storage.exists(known.path):
            return Found.SECOND, known
        return (Found.MOVED if file.pixels or file.sha256 == known.file_sha256 else Found.DAMAGED), known

    def _compared(self, file: ReadBack, image: GeneratedImage) -> Found:
        if image.path != file.path:
            return Found.RIGHT  # moved since the look began
        if file.sha256 == image.file_sha256:
            return Found.OUTDATED if self._images.disagrees(_as_said(image, file)) else Found.RIGHT
        return Found.OUTDATED if file.pixels and _may_be(file.recipe, image) else Found.DAMAGED

    def _note_missing(self, rows: _Rows, files: dict[str, Path]) -> tuple[list[str], bool]:
        """The paths of rows without a file; and whether that is news."""
        listed = [row for row in rows.by_path.values() if not row.deleted]
        missing = [row for row in listed if row.path not in files]
        back = [row.id for row in listed if row.path in files and row.missing]
        gone = [row.id for row in missing if not row.missing]

        def note() -> None:
            self._images.mark_missing([image for image in gone if not self._images.get(image).deleted])
            self._images.mark_missing(back, missing=False)

        if gone or back:
            self._images.together(note)
        return [row.path for row in missing], bool(gone or back)


def _until(should_stop: Callable[[], bool], items: Iterable[T]) -> Iterator[T]:
    for item in items:
        yield item
        if should_stop():
            return


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    ends = time.monotonic() + _BATCH_SECONDS
    for item in items:
        batch.append(item)
        if len(batch) >= _BATCH or time.monotonic() >= ends:
            yield batch
            batch, ends = [], time.monotonic() + _BATCH_SECONDS
    if batch:
        yield batch


def _adopted(file: ReadBack) -> GeneratedImage:
    """A row from nothing but what the file says."""
    recipe, pixels = file.recipe, file.pixels
    assert recipe is not None
    assert pixels is not None
    return GeneratedImage(
        id=recipe.image or new_id(),
        job=recipe.job or new_id(),
        index=recipe.index,
        path=file.path,
        created=recipe.created or datetime.now(UTC).isoformat(),
        width=pixels.width,
        height=pixels.height,
        file_size=file.size,
        file_sha256=file.sha256,
        pixels_sha256=pixels.pixels_sha256,
        request=recipe.request,
        model_hash=recipe.model_hash,
        cost=_cost(recipe),
        resumed_at=recipe.resumed_at,
        parents=recipe.parents,
    )


def _as_said(image: GeneratedImage, file: ReadBack) -> GeneratedImage:
    """The image as its file has it, with what only the library knows: rating, tags, how long it took."""
    said = replace(image, file_size=file.size, file_sha256=file.sha256)
    if file.pixels is not None:
        width, height, sha256 = file.pixels.width, file.pixels.height, file.pixels.pixels_sha256
        said = replace(said, width=width, height=height, pixels_sha256=sha256)
    if file.recipe is None:
        return said
    return replace(
        said,
        created=file.recipe.created or image.created,
        request=file.recipe.request,
        model_hash=file.recipe.model_hash,
        cost=_cost(file.recipe) if image.cost is None else image.cost,
        resumed_at=file.recipe.resumed_at,
        parents=file.recipe.parents,
    )


def _may_be(recipe: Recipe | None, image: GeneratedImage) -> bool:
    """Whether a file with that recipe, or without one, can be of that image."""
    if recipe is None or not (recipe.job or recipe.image):
        return True
    return recipe.image == image.id or (recipe.job, recipe.index) == (image.job, image.index)


def _cost(recipe: Recipe) -> float | None:
    amount, _, unit = recipe.environment.get("cost", "").partition(" ")
    try:
        return float(amount) if unit == "USD" else None
    except ValueError:
        return None
