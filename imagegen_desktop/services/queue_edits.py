"""Edits of the queue: the order and the requests of jobs that do not run; every one is reversible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..database.jobs import Jobs
from ..domain.checks import check_whole
from ..domain.errors import IllegalMove
from ..domain.job import ACTIVE, FINISHED, WAITING, Job, JobState
from ..domain.request import GenerationRequest
from .announce import Announcer, JobsChanged
from .compose import Composer
from .paid import PaidWork
from .queue import Queue, new_jobs
from .undo import Act, Deed, Undo

_SAVE_FIRST = "Let it go on, which costs nothing more; to change it, change a copy of it."


class QueueEdits:
    """What an artist does to the list of jobs; undo takes each back, also after a restart."""

    def __init__(
        self, queue: Queue, jobs: Jobs, composer: Composer, paid: PaidWork, undo: Undo, announce: Announcer
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._composer = composer
        self._paid = paid
        self._undo = undo
        self._announce = announce
        undo.register("place", self._place)
        undo.register("put_requests", self._put_requests)
        undo.register("swap", self._swap_rows)

    def move(self, job: str, index: int) -> None:
        """Puts a waiting job at `index` (from 0) of the waiting ones."""
        check_whole("position", index, 0, 10**9)
        waiting = self._jobs.waiting()
        if job not in waiting:
            raise IllegalMove(f"Job {job} is {self._queue.get(job).state.value}; only waiting jobs have a place.")
        self._undo.do(Deed("Move a job", Act("place", [job, waiting.index(job)]), Act("place", [job, index])))

    def edit(self, ids: Sequence[str], **changes: Any) -> None:
        """Changes the request of jobs that do not run; each is completed and checked again, all or none."""
        jobs = [self._queue.get(job) for job in ids]
        for job in jobs:
            if job.state in ACTIVE or job.state is JobState.DONE:
                raise IllegalMove(
                    f"Job {job.id} is {job.state.value} and cannot be edited.", "Cancel or pause it first."
                )
        requests = self._composer.complete_all(replace(job.request, **changes) for job in jobs)
        before = {job.id: job.request.to_dict() for job in jobs}
        after = {job.id: request.to_dict() for job, request in zip(jobs, requests, strict=True)}
        label = "Edit a job" if len(jobs) == 1 else f"Edit {len(jobs)} jobs"
        self._undo.do(Deed(label, Act("put_requests", [before]), Act("put_requests", [after])))

    def clear_finished(self) -> int:
        """Takes finished jobs off the list; their images stay. Returns how many."""
        finished = list(self._jobs.list(FINISHED))
        if finished:
            self._swap(f"Clear {len(finished)} finished jobs", finished, [])
        return len(finished)

    def duplicate(self, ids: Sequence[str]) -> list[Job]:
        """The same requests once more, at the end of the queue."""
        copies = new_jobs([self._queue.get(job).request for job in ids])
        self._swap("Duplicate a job" if len(copies) == 1 else f"Duplicate {len(copies)} jobs", [], copies)
        return copies

    def split(self, job: str) -> list[Job]:
        """A waiting batch as one job for each picture that is not made yet."""
        found = self._queue.get(job)
        if found.state not in WAITING:
            raise IllegalMove(f"Job {job} is {found.state.value}; only waiting jobs can be split.")
        requests = [found.request.only(index) for index in range(found.images_done, found.request.count)]
        parts = [replace(job, position=found.position + offset * 1e-6) for offset, job in enumerate(new_jobs(requests))]
        self._swap("Split a job", [found], parts)
        return parts

    def _swap(self, label: str, out: Sequence[Job], into: Sequence[Job]) -> None:
        """Takes some jobs off the list and puts others on it, reversibly."""
        gone, come = [[job.to_dict() for job in jobs] for jobs in (out, into)]
        self._undo.do(Deed(label, Act("swap", [come, gone]), Act("swap", [gone, come])))

    def _swap_rows(self, out: list[dict[str, Any]], into: list[dict[str, Any]]) -> None:
        gone = self._jobs.remove([row["id"] for row in out])
        self._paid.recall([job.id for job in gone])
        self._jobs.add([Job.from_dict(row) for row in into])
        self._announce.publish(JobsChanged(ids=()))
        self._queue.work_added()

    def _place(self, job: str, index: int) -> None:
        self._jobs.reorder(job, index)
        self._announce.publish(JobsChanged(ids=(job,)))

    def _put_requests(self, requests: dict[str, dict[str, Any]]) -> None:
        unsaved = sorted(self._paid.unsaved(requests))
        if unsaved:
            raise IllegalMove(f"Job {unsaved[0]} has a paid picture that is not saved yet.", _SAVE_FIRST)
        self._jobs.update_request(list(requests), [GenerationRequest.from_dict(row) for row in requests.values()])
        self._paid.recall(list(requests))
        self._announce.publish(JobsChanged(ids=tuple(requests)))
