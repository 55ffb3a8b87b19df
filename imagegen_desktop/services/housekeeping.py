"""Keeping the home in order: files and rows that do not match, half-written files, backups. Deletes no image, ever."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..database.connection import Library
from ..database.facts import get_fact, set_fact
from ..database.images import Images
from ..database.mentions import mentioned_hashes
from ..domain.errors import Problem
from ..domain.identity import new_id
from ..domain.image import GeneratedImage
from ..imaging.decode import Decoder
from ..imaging.metadata import read_recipe
from ..logs import logger
from ..storage.local import LocalStorage
from .announce import Announcer, ImagesChanged

_PAGE = 500
_PRUNED = "inputs_pruned"
_PRUNE_EVERY = timedelta(days=7)
_YOUNG = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What a look at all files and rows found; paths are relative to the home."""

    adopted: tuple[str, ...] = ()
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
        except Problem as problem:
            logger("housekeeping").warning("not everything could be tidied", reason=problem.message)
            return
        if found.adopted or found.missing:
            logger("housekeeping").info("reconciled", adopted=len(found.adopted), missing=len(found.missing))

    def reconcile(
        self, check_content: bool = False, on_progress: Callable[[int], None] = lambda done: None
    ) -> Reconciled:
        """Adopts image files without a row, notes rows without a file; with `check_content` hashes every file."""
        rows = {image.path: image for image in self._all()}
        files = {path.relative_to(self._storage.home).as_posix(): path for path in self._files()}
        adopted: list[str] = []
        strangers: list[str] = []
        for done, path in enumerate(sorted(files.keys() - rows.keys())):
            (adopted if self._adopt(path, files[path]) else strangers).append(path)
            on_progress(done)
        gone = [image for path, image in rows.items() if path not in files and not image.deleted]
        back = [image.id for path, image in rows.items() if path in files and image.missing]
        self._images.mark_missing([image.id for image in gone if not image.missing])
        self._images.mark_missing(back, missing=False)
        damaged = [path for path in files.keys() & rows.keys() if check_content and not _whole(files[path], rows[path])]
        if adopted or back or gone:
            self._announce.publish(ImagesChanged())
        return Reconciled(
            adopted=tuple(adopted),
            missing=tuple(image.path for image in gone),
            damaged=tuple(sorted(damaged)),
            strangers=tuple(strangers),
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

    def back_up(self, now: datetime) -> Path | None:
        """A checked copy of the database, when one is due."""
        return self._library.back_up(now)

    def _all(self) -> Iterator[GeneratedImage]:
        after: int | None = None
        while page := self._images.page(after, _PAGE):
            yield from page
            after = page[-1].number

    def _files(self) -> Iterator[Path]:
        return (self._storage.home / "images").rglob("*.png")

    def _adopt(self, relative: str, file: Path) -> bool:
        """Gives an orphan its row back from what the file itself says; False for a file that is not ours."""
        try:
            data = file.read_bytes()
            recipe = read_recipe(data)
            if recipe.job and self._images.by_job_index(recipe.job, recipe.index):
                return False  # a second file of an image that has its row: drawn again after a crash
            picture = self._decoder.decode(data)
        except (OSError, Problem):
            return False
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
                resumed_at=recipe.resumed_at,
                parents=recipe.parents,
            )
        )
        return True


def _whole(file: Path, image: GeneratedImage) -> bool:
    try:
        with file.open("rb") as data:
            return hashlib.file_digest(data, "sha256").hexdigest() == image.file_sha256
    except OSError:
        return False
