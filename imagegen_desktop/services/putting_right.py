"""After a damaged library was replaced: its pictures come back from their files, and the artist is told in numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from ..database.connection import Library
from ..database.images import Images
from ..database.jobs import Jobs
from ..database.recovery import PutRight, has_been_told, what_was_done
from ..domain.errors import IllegalMove, Uncertain
from ..domain.job import ACTIVE, JobError, JobState
from ..logs import logger
from .announce import Announcer, JobsChanged, Notice
from .housekeeping import Housekeeping
from .reconcile import Progress

_EVERY_SECONDS = 1.0
_MAY_BE_PAID = JobError(
    kind=Uncertain.kind,
    message="The library was damaged; this job may have been done since its backup was made.",
    advice="It may have been charged. It is not sent again unless you retry it.",
)


class PuttingRight:
    """What is left to do when `open_library` had to replace the file."""

    def __init__(
        self,
        library: Library,
        images: Images,
        jobs: Jobs,
        housekeeping: Housekeeping,
        is_paid: Callable[[str], bool],
        announce: Announcer,
    ) -> None:
        self._library = library
        self._images = images
        self._jobs = jobs
        self._housekeeping = housekeeping
        self._is_paid = is_paid
        self._announce = announce

    def finish(self, on_progress: Progress | None = None) -> Notice | None:
        """To be called before any job begins; what the artist should read, None where nothing had to be put right.
        Begun again at the next start if we die meanwhile."""
        done = what_was_done(self._library.path)
        if done is None:
            return None
        self._hold_what_may_be_paid()
        self._housekeeping.keep_inputs()
        self._housekeeping.settle_bin()
        kept = self._images.count()
        found = self._housekeeping.reconcile(on_progress=on_progress or _Told(self._announce))
        notice = _notice(done, kept, len(found.adopted))
        logger("library").warning(notice.text, advice=notice.advice)
        has_been_told(self._library.path)
        self._announce.publish(notice)
        return notice

    def _hold_what_may_be_paid(self) -> None:
        """The backup does not know what was sent since."""
        jobs = self._jobs.list({JobState.QUEUED, *ACTIVE})
        waiting = [job.id for job in jobs if self._is_paid(job.request.provider)]
        for job in self._jobs.move_waiting(waiting, JobState.PARKED, error=_MAY_BE_PAID):
            with suppress(IllegalMove):  # another process was quicker
                self._jobs.move_state(job, JobState.PARKED, error=_MAY_BE_PAID)
        if waiting:
            self._announce.publish(JobsChanged(ids=tuple(waiting)))


class _Told:
    """Progress as sentences, not more often than they can be read."""

    def __init__(self, announce: Announcer) -> None:
        self._announce = announce
        self._last = 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._last >= _EVERY_SECONDS:
            self._last = time.monotonic()
            text = f"The library is being put right: {done} of {total} files."
            self._announce.publish(Notice(level="info", text=text))


def _notice(done: PutRight, from_backup: int, from_files: int) -> Notice:
    files = _pictures(from_files)
    if done.backup:
        day = f"{datetime.fromisoformat(done.backup).astimezone():%Y-%m-%d}"
        text = (
            f"The library was damaged and has been put right: {_pictures(from_backup)} from the backup of {day}, "
            f"{files} from their files."
        )
    else:
        text = f"The library was damaged and has been made anew: {files} from their files."
    return Notice(level="warning", text=text, advice=f"The damaged file is kept as {done.kept}." if done.kept else "")


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
