"""Contact sheets: many seeds drawn for a few steps, of which only the chosen ones are finished."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..domain.checks import check_whole
from ..domain.errors import BadInput, IllegalMove
from ..domain.job import ACTIVE, WAITING, Job, JobState
from ..domain.request import GenerationRequest
from .compose import Composer
from .queue import Queue
from .snapshots import Snapshots

MOST_SEEDS = 1000


class Sheets:
    """The pictures of a sheet are jobs that wait at a step; they outlive the program like all others."""

    def __init__(self, queue: Queue, composer: Composer, snapshots: Snapshots) -> None:
        self._queue = queue
        self._composer = composer
        self._snapshots = snapshots

    def begin(self, request: GenerationRequest, seeds: int, until: int, *, owner: str = "") -> list[Job]:
        """A job for each of `seeds` seeds, counting on from the request's, which stops after `until` steps."""
        check_whole("seeds", seeds, 1, MOST_SEEDS)
        whole = self._composer.complete(request)
        if whole.steps is not None:
            most = whole.steps - 1
            if most < 1 or until > most:
                raise BadInput("until", until, f"fewer than the {whole.steps} steps of the whole picture")
        first = replace(whole, seed=secrets.randbits(31) if request.seed is None else request.seed)
        wishes = [replace(request, seed=first.seed_of(index), count=1, until=until) for index in range(seeds)]
        return self._queue.add_many(wishes, owner=owner)

    def jobs(self) -> list[Job]:
        """Those of open sheets, in the order they were asked for."""
        found = [job for job in self._queue.jobs(finished=0) if job.request.until is not None]
        return sorted((job for job in found if job.state in ACTIVE | WAITING), key=lambda job: job.position)

    def preview_of(self, job: str) -> Path | None:
        """The look of a job that waits half-done, when there is one."""
        place = self._snapshots.preview_place(job)
        return place if place.is_file() else None

    def check_finishable(self, ids: Sequence[str]) -> None:
        """Raises IllegalMove for one that does not wait at its step."""
        for name in ids:
            job = self._queue.get(name)
            if job.state is not JobState.PAUSED:
                raise IllegalMove(f"Job {name} is {job.state.value}; only paused ones can be finished.")

    def finish(self, ids: Sequence[str]) -> None:
        """The chosen ones are drawn to their end; the others wait on."""
        self.check_finishable(ids)
        for name in ids:
            self._queue.go_on_to_the_end(name)

    def discard(self, ids: Sequence[str]) -> None:
        """Undo brings them back."""
        self._queue.cancel(ids)
