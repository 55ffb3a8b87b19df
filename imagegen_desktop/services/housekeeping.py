"""Keeping the home in order: files and rows that do not match, half-written files, backups. Deletes no image, ever."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path

from ..database.connection import Library
from ..database.facts import drop_facts, get_fact, set_fact
from ..database.failures import Damaged
from ..database.images import Images
from ..database.jobs import stamp
from ..database.mentions import mentioned_hashes
from ..database.selection import EVERYTHING, ImageFilter
from ..domain.errors import NotFound, Problem
from ..domain.identity import new_id
from ..domain.image import GeneratedImage
from ..imaging.decode import Decoder
from ..imaging.metadata import read_recipe
from ..imaging.recipe import Recipe
from ..logs import logger
from ..storage.local import LocalStorage
from .announce import Announcer, ImagesChanged, Notice

_PAGE = 500
_PRUNED = "inputs_pruned"
_PRUNE_EVERY = timedelta(days=7)
_YOUNG = timedelta(days=14)
_CHECKED = "library_checked"
_CHECK_EVERY = timedelta(days=7)


class _Found(Enum):
    """What a file without a row turned out to be."""

    NEW = auto()
    MOVED = auto()
    STRANGER = auto()


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What a look at all files and rows found; paths are relative to the home."""

    adopted: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()


class Housekeeping:
    """Run at start, in the background, and on demand."""

    def __init__(
        self, library: Library, images: Images, storage: LocalStorage, decoder: Decoder, announce: Announcer
    ) -> None:
        self._library = library
        self._images = images
        self._storage = storage
        self._decoder = decoder
        self._announce = announce

    def tidy(self, now: datetime) -> None:
        """What is due at a start: salvage, adopt, note what is missing, and a backup when one is due."""
        try:
            self._storage.sweep(now)
            found = self.reconcile()
            self._library.back_up(now)
            self.prune_inputs(now)
            self._check(now)
        except Problem as problem:
            logger("housekeeping").warning("not everything could be tidied", reason=problem.message)
            if isinstance(problem, Damaged):
                self._announce.publish(Notice(level="error", text=problem.message, advice=problem.advice))
            return
        if found.adopted or found.missing:
            logger("housekeeping").info("reconciled", adopted=len(found.adopted), missing=len(found.missing))

    def reconcile(
        self, check_content: bool = False, on_progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Reconciled:
        """Adopts image files without a row, notes rows without a file and where a file was moved to; with
        `check_content` hashes every file. `on_progress` hears how many of how many unknown files were looked at."""
        rows = {image.path: image for image in self._all()}
        files = {path.relative_to(self._storage.home).as_posix(): path for path in self._files()}
        found: dict[_Found, list[str]] = {kind: [] for kind in _Found}
        unknown = sorted(files.keys() - rows.keys())
        newest = max((image.number for image in rows.values()), default=0)
        for done, path in enumerate(unknown, 1):
            found[self._adopt(path, files[path], newest)].append(path)
            on_progress(done, len(unknown))
        if found[_Found.MOVED]:
            rows = {image.path: image for image in self._all()}
        adopted = found[_Found.NEW]
        gone = [image for path, image in rows.items() if path not in files and not image.deleted]
        back = [image.id for path, image in rows.items() if path in files and image.missing]
        self._images.mark_missing([image.id for image in gone if not image.missing])
        self._images.mark_missing(back, missing=False)
        damaged = [path for path in files.keys() & rows.keys() if check_content and not _whole(files[path], rows[path])]
        if adopted or back or gone or found[_Found.MOVED]:
            self._announce.publish(ImagesChanged())
        return Reconciled(
            adopted=tuple(adopted),
            moved=tuple(found[_Found.MOVED]),
            missing=tuple(image.path for image in gone),
            damaged=tuple(sorted(damaged)),
            strangers=tuple(found[_Found.STRANGER]),
        )

    def prune_inputs(self, now: datetime) -> int:
        """Once a week deletes the pictures and masks to start from that no job, image, draft or undo speaks of; how
        many. Not at the first look: a library that was just restored may not know all of its own yet. Young ones stay:
        somebody may just be choosing them."""
        last = get_fact(self._library, _PRUNED)
        if last and now - datetime.fromisoformat(last) < _PRUNE_EVERY:
            return 0
        set_fact(self._library, _PRUNED, now.isoformat())
        before = now - _YOUNG
        if not last or not self._storage.old_sources(before):
            return 0
        mentioned = mentioned_hashes(self._library)
        return self._storage.drop_sources(lambda sha256: sha256 not in mentioned, before)

    def keep_inputs(self) -> None:
        """No picture to start from goes for a week: the library does not know all that speak of them any more."""
        drop_facts(self._library, [_PRUNED])

    def settle_bin(self) -> None:
        """After the library was an older one for a while, the files know better what lies in the bin."""
        for image in (*self._all(), *self._all(ImageFilter(binned=True))):
            here, binned = self._storage.exists(image.path), self._storage.is_binned(image.path)
            if not image.deleted and binned and not here:
                self._images.bin([image.id], stamp(datetime.now(UTC)))
            elif image.deleted and here and not binned:
                self._images.restore([image.id])

    def back_up(self, now: datetime) -> Path | None:
        """A checked copy of the database, when one is due."""
        return self._library.back_up(now)

    def _all(self, filters: ImageFilter = EVERYTHING) -> Iterator[GeneratedImage]:
        after: int | None = None
        while page := self._images.page(after, _PAGE, filters=filters):
            yield from page
            after = page[-1].number

    def _files(self) -> Iterator[Path]:
        return (self._storage.home / "images").rglob("*.png")

    def _adopt(self, relative: str, file: Path, newest: int) -> _Found:
        """Gives an orphan its row back from what the file itself says. Raises Damaged when it has one that should have
        been listed, for it is not above `newest`."""
        try:
            data = file.read_bytes()
            recipe = read_recipe(data)
            known = self._known(recipe)
            if known is not None and known.path == relative and known.number <= newest and not known.deleted:
                self._library.check()
            if known is not None and (known.deleted or self._storage.exists(known.path)):
                return _Found.STRANGER  # a second file of an image that has its row: drawn again after a crash
            picture = self._decoder.decode(data)
        except Damaged:
            raise
        except (OSError, Problem):
            return _Found.STRANGER
        if known is not None:
            self._images.relocate(known.id, relative)
            return _Found.MOVED
        self._images.add(
            GeneratedImage(
                id=recipe.image or new_id(),
                job=recipe.job or new_id(),
                index=recipe.index,
                path=relative,
                created=recipe.created or datetime.now(UTC).isoformat(),
                width=picture.width,
                height=picture.height,
                file_size=len(data),
                file_sha256=hashlib.sha256(data).hexdigest(),
                pixels_sha256=hashlib.sha256(picture.rgb).hexdigest(),
                request=recipe.request,
                model_hash=recipe.model_hash,
                cost=_cost(recipe),
                resumed_at=recipe.resumed_at,
                parents=recipe.parents,
            )
        )
        return _Found.NEW

    def _check(self, now: datetime) -> None:
        """Once a week the whole library is looked at; raises Damaged."""
        last = get_fact(self._library, _CHECKED)
        if not last or now - datetime.fromisoformat(last) >= _CHECK_EVERY:
            self._library.check()
            set_fact(self._library, _CHECKED, now.isoformat())

    def _known(self, recipe: Recipe) -> GeneratedImage | None:
        """The row of the image that file says it is."""
        found = self._images.by_job_index(recipe.job, recipe.index) if recipe.job else None
        if found is None and recipe.image:
            with suppress(NotFound):
                return self._images.get(recipe.image)
        return found


def _cost(recipe: Recipe) -> float | None:
    amount, _, unit = recipe.environment.get("cost", "").partition(" ")
    try:
        return float(amount) if unit == "USD" else None
    except ValueError:
        return None


def _whole(file: Path, image: GeneratedImage) -> bool:
    try:
        with file.open("rb") as data:
            return hashlib.file_digest(data, "sha256").hexdigest() == image.file_sha256
    except OSError:
        return False
