"""Keeping the home in order: files and rows that do not match, half-written files, backups. Deletes no image, ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..database.connection import Library
from ..database.facts import drop_facts, get_fact, set_fact
from ..database.failures import Damaged
from ..database.images import Images
from ..database.mentions import mentioned_hashes
from ..domain.errors import Problem
from ..imaging.decode import Decoder
from ..logs import logger
from ..storage.local import LocalStorage
from .announce import Announcer, Notice
from .reconcile import Fault, Progress, Reconciled, Reconciler

_PRUNED = "inputs_pruned"
_PRUNE_EVERY = timedelta(days=7)
_YOUNG = timedelta(days=14)
_CHECKED = "library_checked"
_CHECK_EVERY = timedelta(days=7)


class Housekeeping:
    """Run at start, in the background, and on demand."""

    def __init__(
        self, library: Library, images: Images, storage: LocalStorage, decoder: Decoder, announce: Announcer
    ) -> None:
        self._library = library
        self._images = images
        self._storage = storage
        self._announce = announce
        self._files = Reconciler(library, images, storage, decoder, announce)

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

    def reconcile(self, on_progress: Progress = lambda done, total: None) -> Reconciled:
        """Adopts image files without a row, and notes rows without a file."""
        return self._files.reconcile(on_progress=on_progress)

    def rebuild(self, on_progress: Progress, should_stop: Callable[[], bool]) -> Reconciled:
        """Reads all image files into the library anew; what only the library knows (ratings, tags) stays. When it is
        stopped the library is whole, and another call does the rest. Raises Damaged when the library itself is."""
        self._library.check()
        self.keep_inputs()
        self.settle_bin()
        return self._files.reconcile(reread=True, on_progress=on_progress, should_stop=should_stop)

    def verify(self, on_progress: Progress, should_stop: Callable[[], bool]) -> Iterator[Fault]:
        """Compares every row with its file and every file with its row; changes nothing. Raises Damaged."""
        return self._files.verify(on_progress=on_progress, should_stop=should_stop)

    def prune_inputs(self, now: datetime) -> int:
        """Once a week deletes the pictures and masks to start from that no job, image, draft or undo speaks of; how
        many. Not at the first look: a library that was just restored may not know all of its own yet. Young ones stay:
        somebody may just be choosing them."""
        last = get_fact(self._library, _PRUNED)
        since = now - datetime.fromisoformat(last) if last else timedelta()
        if last and timedelta() <= since < _PRUNE_EVERY:
            return 0
        set_fact(self._library, _PRUNED, now.isoformat())
        before = now - _YOUNG
        if since < _PRUNE_EVERY or not self._storage.old_sources(before):
            return 0  # the first look, or the clock was wrong at the last one
        mentioned = mentioned_hashes(self._library)
        return self._storage.drop_sources(lambda sha256: sha256 not in mentioned, before)

    def keep_inputs(self) -> None:
        """No picture to start from goes for a week: the library does not know all that speak of them any more."""
        drop_facts(self._library, [_PRUNED])

    def settle_bin(self) -> None:
        """After the library was an older one for a while, the files know better what lies in the bin."""
        self._files.settle_bin(datetime.now(UTC))

    def back_up(self, now: datetime) -> Path | None:
        """A checked copy of the database, when one is due."""
        return self._library.back_up(now)

    def _check(self, now: datetime) -> None:
        """Once a week the whole library is looked at; raises Damaged."""
        last = get_fact(self._library, _CHECKED)
        if not last or abs(now - datetime.fromisoformat(last)) >= _CHECK_EVERY:  # the clock may have been wrong
            self._library.check()
            set_fact(self._library, _CHECKED, now.isoformat())
