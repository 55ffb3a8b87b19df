"""The queue: jobs are committed before the call returns, and go on, wait or end as the artist wishes."""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ..database.connection import Library
from ..database.facts import drop_facts, get_fact, set_fact
from ..database.jobs import Jobs, stamp
from ..domain.checks import check_whole
from ..domain.errors import IllegalMove
from ..domain.identity import new_ids
from ..domain.job import ACTIVE, FINISHED, WAITING, Job, JobState
from ..domain.request import GenerationRequest
from ..domain.variations import copied
from .announce import Announcer, JobsChanged, QueuePaused
from .compose import Composer
from .paid import PaidWork
from .undo import Act, Deed, Undo

_PAUSED = "queue_paused"
CANCEL, PAUSE = "cancel", "pause"

#: How long a job stays its owner's without a sign of life.
LEASE_SECONDS = 30.0


class Queue:
    """All jobs of this home. `interrupt(job, wish)` reaches a job that runs in this process; it answers
    whether it does. `work_added` wakes whoever waits for work. Both are set where the parts are joined."""

    def __init__(
        self, library: Library, jobs: Jobs, composer: Composer, paid: PaidWork, undo: Undo, announce: Announcer
    ) -> None:
        self.interrupt: Callable[[str, str], bool] = lambda job, wish: False
        self.work_added: Callable[[], None] = lambda: None
        self._jobs = jobs
        self._library = library
        self._composer = composer
        self._paid = paid
        self._undo = undo
        self._announce = announce
        undo.register("cancel_waiting", self._cancel_waiting)
        undo.register("requeue", self._requeue_all)

    def add(self, request: GenerationRequest, *, owner: str = "") -> Job:
        """Completes, checks and commits a request. With an owner the job is his at once: nobody else runs it."""
        return self.add_many([request], owner=owner)[0]

    def add_many(self, requests: Sequence[GenerationRequest], *, owner: str = "") -> list[Job]:
        """All or none of them, in one transaction."""
        jobs = new_jobs(self._composer.complete_all(requests), owner)
        self._jobs.add(jobs, lease_until=time.time() + LEASE_SECONDS if owner else 0.0, lease_seconds=LEASE_SECONDS)
        self._changed(*(job.id for job in jobs))
        self.work_added()
        return jobs

    def jobs(self, finished: int = 50) -> list[Job]:
        """Unfinished ones in the order they will run, then the latest finished."""
        return [*self._jobs.list(ACTIVE), *self._jobs.list(WAITING), *self._jobs.latest(finished)]

    def jobs_after(self, known: Sequence[Job], changed: Collection[str], finished: int = 50) -> list[Job]:
        """`jobs` again where it was `known` and these have changed since: of thousands only those are read anew, and
        those at work, which get on without a word."""
        changed = {*changed, *(job.id for job in known if job.state in ACTIVE)}
        fresh = self._jobs.some(list(changed))
        before = {job.id: job for job in known if job.id in changed}
        rest = [job for job in known if job.id not in changed]
        waiting = [job for job in rest if job.state in WAITING]
        over = [job for job in rest if job.state in FINISHED]
        active = [job for job in rest if job.state in ACTIVE]
        moved = any(job.id in before and _urgency(before[job.id]) != _urgency(job) for job in fresh)
        came_back = len(over) + sum(job.state in FINISHED for job in fresh) < min(
            finished, sum(job.state in FINISHED for job in known)
        )
        if moved or came_back:  # those beside a job that was moved may have new places as well
            return self.jobs(finished)
        for job in fresh:
            if job.state in FINISHED:
                over.append(job)
            else:
                insort(waiting if job.state in WAITING else active, job, key=_urgency)
        over.sort(key=lambda job: (job.finished, job.id), reverse=True)
        return [*active, *waiting, *over[:finished]]

    def get(self, job: str) -> Job:
        return self._jobs.get(job)

    def cancel(self, ids: Iterable[str]) -> None:
        """Running jobs leave within their step; a finished one raises IllegalMove, and then none is cancelled."""
        wanted = list(dict.fromkeys(ids))
        states = self._jobs.states(wanted)
        for job, state in states.items():
            if state in FINISHED:
                raise IllegalMove(f"Job {job} is already {state.value}.")
        busy = self._cancel_waiting(wanted)
        # Undone, an uncertain job would be sent a second time without anybody having asked for that.
        waited = [job for job in wanted if job not in busy and states[job] is not JobState.UNCERTAIN]
        if waited:
            label = "Cancel a job" if len(waited) == 1 else f"Cancel {len(waited)} jobs"
            self._undo.remember(Deed(label, Act("requeue", [waited]), Act("cancel_waiting", [waited])))
        for job in busy:
            self._stop(job, CANCEL, JobState.CANCELLED)

    def pause(self, job: str) -> None:
        self._stop(job, PAUSE, JobState.PAUSED)

    def resume(self, job: str) -> None:
        """Goes on with a job; with one that waits at the step it was to wait at, to its end."""
        found = self.get(job)
        if found.state is JobState.PAUSED and found.request.until is not None and found.step >= found.request.until:
            self.go_on_to_the_end(job)
        else:
            self._requeue(found, (JobState.PAUSED, JobState.PARKED, JobState.UNCERTAIN))

    def go_on_to_the_end(self, job: str) -> None:
        """Resumes a job that was to wait at a step (a contact sheet's): now it is drawn to its end."""
        found = self.get(job)
        self._jobs.update_request([job], [replace(found.request, until=None)])
        self.resume(job)

    def retry(self, job: str) -> Job:
        """Queues a failed, cancelled or parked job again."""
        self._requeue(self.get(job), (JobState.FAILED, JobState.CANCELLED, JobState.PARKED, JobState.UNCERTAIN))
        return self.get(job)

    @property
    def paused(self) -> bool:
        return get_fact(self._library, _PAUSED) == "yes"

    def pause_all(self) -> None:
        """No further job begins; running ones go on to their end."""
        self._set_paused(True)

    def resume_all(self) -> None:
        self._set_paused(False)
        self.work_added()

    def _cancel_waiting(self, ids: list[str]) -> dict[str, JobState]:
        """Cancels those that wait; the states of the others."""
        others = self._jobs.move_waiting(ids, JobState.CANCELLED, finished=now())
        cancelled = [job for job in ids if job not in others]
        self._changed(*cancelled)
        self._paid.recall(cancelled)
        return others

    def _requeue_all(self, ids: list[str]) -> None:
        drop_facts(self._library, [wish_name(job) for job in ids])
        self._jobs.move_waiting(ids, JobState.QUEUED, error=None, attempts=0, finished="")
        self._changed(*ids)
        self.work_added()

    def _stop(self, job: str, wish: str, state: JobState) -> None:
        """In one go for a job that waits; one at work is told, by whoever drives it."""
        found = self._jobs.move_waiting([job], state, **({} if state is JobState.PAUSED else {"finished": now()}))
        if not found:
            self._changed(job)
            if state is JobState.CANCELLED:
                self._paid.recall([job])
        elif found[job] not in ACTIVE:
            raise IllegalMove(f"Job {job} is {found[job].value} and cannot become {state.value}.")
        elif not self.interrupt(job, wish):
            by_now = self._jobs.states([job])[job]
            if by_now in ACTIVE:  # in another process
                set_fact(self._library, wish_name(job), wish)
            elif by_now not in FINISHED:
                self._stop(job, wish, state)

    def _requeue(self, job: Job, possible: tuple[JobState, ...]) -> None:
        if job.state not in possible:
            raise IllegalMove(f"Job {job.id} is {job.state.value}; only {_or(possible)} ones go on.")
        drop_facts(self._library, [wish_name(job.id)])  # what was wished of it before is over
        self._jobs.move_state(job.id, JobState.QUEUED, error=None, attempts=0, finished="")
        self._changed(job.id)
        self.work_added()

    def _set_paused(self, paused: bool) -> None:
        set_fact(self._library, _PAUSED, "yes" if paused else "no")
        self._announce.publish(QueuePaused(paused=paused))

    def _changed(self, *ids: str) -> None:
        self._announce.publish(JobsChanged(ids=ids))


def new_jobs(requests: Sequence[GenerationRequest], owner: str = "") -> list[Job]:
    """Jobs for complete requests, not yet in the library; with an owner they are his at once."""
    blank = Job(id="", state=JobState.QUEUED, request=GenerationRequest(), created=now())
    if owner:
        blank = replace(blank, state=JobState.LEASED, owner=owner, attempts=1)
    return [
        copied(blank, {"id": name, "request": request, "priority": _priority(request)})
        for name, request in zip(new_ids(len(requests)), requests, strict=True)
    ]


def now() -> str:
    """This moment as the library writes it."""
    return stamp(datetime.now(UTC))


def wish_name(job: str) -> str:
    """The fact by which one process asks another to cancel or pause a job that runs there."""
    return f"wish:{job}"


def _urgency(job: Job) -> tuple[int, float, str]:
    """The order in which jobs run."""
    return -job.priority, job.position, job.id


def _priority(request: GenerationRequest) -> int:
    return check_whole("priority", request.priority, -1000, 1000)


def _or(states: Iterable[JobState]) -> str:
    return " or ".join(state.value for state in states)
