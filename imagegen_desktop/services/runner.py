"""The runner: claims jobs and drives each to its end, whatever happens to it on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..database.connection import Library
from ..database.jobs import Jobs
from ..domain.errors import (
    DiskProblem,
    NotFound,
    Problem,
)
from ..domain.job import ACTIVE, Job, JobState
from ..logs import logger
from ..providers.base import Provider
from .announce import Announcer, JobsChanged
from .driving import YIELD, Driver, Running
from .holds import Holds
from .neighbours import LOOK_SECONDS, Neighbours
from .outcome import ENDED_TWICE, MAX_ATTEMPTS
from .owners import owner_is_dead
from .paid import PaidWork
from .queue import CANCEL, LEASE_SECONDS, PAUSE, Queue
from .snapshots import Snapshots


class Runner:
    """Any number of threads may call `work_once`; each drives one job at a time.

    A local job almost at its end lets one more begin, so that its engine has it before it asks.
    """

    def __init__(
        self,
        owner: Callable[[], str],
        library: Library,
        jobs: Jobs,
        queue: Queue,
        providers: Mapping[str, Provider],
        driver: Driver,
        snapshots: Snapshots,
        announce: Announcer,
        paid: PaidWork,
        holds: Holds,
    ) -> None:
        self._owner = owner
        self._jobs = jobs
        self._queue = queue
        self._providers = providers
        self._driver = driver
        self._snapshots = snapshots
        self._announce = announce
        self._paid = paid
        self._holds = holds
        self._turn = threading.Condition()
        self._active: dict[str, Running] = {}
        self._stopping = False
        self._neighbours = Neighbours(library, announce)
        self._at_work = threading.Event()
        self._pulse = threading.Thread(target=self._renew_leases, name="runner-leases", daemon=True)

    @property
    def owner(self) -> str:
        """The name under which jobs are leased to this process."""
        return self._owner()

    # ---- work ---------------------------------------------------------------------------------------------

    def work_once(self, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Claims the next job and drives it to its end; False when nothing waits or it is not our turn."""
        with self._turn:
            job = None if self._stopping or should_stop() or self._queue.paused else self._claim()
            if job is None:
                return False
            running = self._begin(job)
        self._drive(running)
        return True

    def wait_for_work(self, timeout: float) -> bool:
        """Waits until a job was added or a place became free; also notices what other processes changed."""
        with self._turn:
            woken = self._turn.wait(timeout)
        self._neighbours.look(list(self._active), self.interrupt)
        return woken

    def run(self, job: Job) -> Job:
        """Drives a job that was leased to us when it was added; its state at the end."""
        with self._turn:
            running = self._begin(job)
            running.alone = True
        self._drive(running)
        return self._queue.get(job.id)

    def take(self, job: str) -> Job | None:
        """Leases a waiting job to us, out of turn; None when it does not wait."""
        provider = self._queue.get(job).request.provider
        return self._jobs.claim(self.owner, datetime.now(UTC), LEASE_SECONDS, [provider], only=job)

    def preview_of(self, job: str) -> Path | None:
        """The look of a job that waits half-done, when there is one."""
        place = self._snapshots.preview_place(job)
        return place if place.is_file() else None

    def wake(self) -> None:
        """Says that a job may wait now; where it is more urgent than a local job and there is no other place, that
        one makes room at its next step."""
        self._make_room()
        with self._turn:
            self._turn.notify_all()

    def _make_room(self) -> None:
        staying = [running for running in list(self._active.values()) if _draws_here(running) and not running.wish]
        if not staying or self._queue.paused:
            return
        least = min(running.job.priority for running in staying)
        for provider in {running.provider.name: running.provider for running in staying}.values():
            waiting = self._jobs.priorities_above(least, provider.name, len(staying))
            mine = [running for running in staying if running.provider is provider]
            for running in giving_way(mine, waiting, provider.capabilities().places):
                self.interrupt(running.job.id, YIELD)

    def interrupt(self, job: str, wish: str) -> bool:
        """Passes a wish on to a job that runs here; False when it does not."""
        running = self._active.get(job)
        if running is None:
            return False
        running.wish = wish
        running.pass_wish_on()
        return True

    def park(self) -> None:
        """What is drawn on this computer leaves at its next step; if something was, the queue stands still."""
        local = [running for running in list(self._active.values()) if _draws_here(running)]
        if local:
            self._queue.pause_all()
        for running in local:
            if not running.wish:
                self.interrupt(running.job.id, YIELD)

    def stop(self) -> list[str]:
        """Pauses every running job resumably and lets nothing further begin; the jobs it paused."""
        with self._turn:
            self._stopping = True
            self._at_work.set()
            active = list(self._active.values())
            self._turn.notify_all()
        for running in active:
            running.closing = True
            self.interrupt(running.job.id, PAUSE)
        return [running.job.id for running in active]

    def wait_until_idle(self, timeout: float | None = None) -> bool:
        """Waits until no job runs here; False when the time was too short."""
        with self._turn:
            return self._turn.wait_for(lambda: not self._active, timeout)

    def recover(self) -> list[Job]:
        """At start: what a dead process left leased or running waits again; returns those jobs."""
        owners = {job.owner for job in self._jobs.list(ACTIVE)}
        paid = [name for name, provider in self._providers.items() if provider.capabilities().paid]
        dead = [owner for owner in owners if owner_is_dead(owner)]
        recovered = list(self._jobs.recover(datetime.now(UTC), dead, at_most_once=paid))
        for job in recovered:
            if job.state is JobState.QUEUED and job.attempts >= MAX_ATTEMPTS:
                self._jobs.move_state(job.id, JobState.PARKED, error=ENDED_TWICE)
        # Where nothing is out there unnamed the provider can be asked for what it made, or nothing had left.
        settled = [job.id for job in self._jobs.list([JobState.UNCERTAIN]) if self._paid.is_settled(job)]
        recovered += [self._jobs.move_state(job, JobState.QUEUED, error=None) for job in settled]
        self._snapshots.tidy(self._may_go_on)
        if recovered:
            self._announce.publish(JobsChanged(ids=tuple(job.id for job in recovered)))
        return recovered

    def _may_go_on(self, job: str) -> bool:
        try:
            return self._jobs.get(job).state not in (JobState.DONE, JobState.CANCELLED)
        except NotFound:
            return False

    # ---- one job ------------------------------------------------------------------------------------------

    def _claim(self) -> Job | None:
        free = [name for name in self._providers if self._has_place(name) and self._holds.reason(name) is None]
        try:
            self._driver.write_ends()
            return self._jobs.claim(self.owner, datetime.now(UTC), LEASE_SECONDS, free) if free else None
        except DiskProblem as problem:  # nothing was begun, and nothing can be until there is space
            for name in free:
                self._holds.hold(name, self._providers[name].capabilities().title, problem)
            return None

    def _has_place(self, provider: str) -> bool:
        mine = [running for running in self._active.values() if running.provider.name == provider]
        places = self._providers[provider].capabilities().places
        return len(mine) < places + min(places, sum(running.almost_done for running in mine))

    def _begin(self, job: Job) -> Running:
        provider = self._providers[job.request.provider]
        running = Running(job=job, provider=provider, on_almost_done=self._let_another_begin)
        self._active[job.id] = running
        self._at_work.set()
        if not self._pulse.is_alive():
            self._pulse.start()
        return running

    def _drive(self, running: Running) -> None:
        job = running.job
        try:
            while (
                self._attempt(running) is JobState.QUEUED
                and not running.wish
                and not running.innocent
                and self._holds.reason(running.provider.name) is None
            ):
                # The engine died under it: once more at once, unless another process was quicker.
                again = self._jobs.claim(
                    self.owner, datetime.now(UTC), LEASE_SECONDS, [running.provider.name], only=job.id
                )
                if again is None:
                    break
                running.job = again
        finally:
            with self._turn:
                self._active.pop(job.id, None)
                self._turn.notify_all()
            self._announce.publish(JobsChanged(ids=(job.id,)))

    def _attempt(self, running: Running) -> JobState:
        with self._turn:
            others = [other for other in self._active.values() if other is not running]
            ahead = sum(other.provider is running.provider for other in others)
            running.behind = ahead >= running.provider.capabilities().places
            running.heard = running.almost_done = False
        return self._driver.attempt(running)

    def _let_another_begin(self) -> None:
        with self._turn:
            self._turn.notify_all()

    # ---- other processes ----------------------------------------------------------------------------------

    def _renew_leases(self) -> None:
        """While jobs run here: keeps them ours, and notes how far they are, about once a second.

        Between jobs it waits: a thread takes longer to start than the rest of a job's beginning.
        """
        while True:
            self._at_work.wait()
            with self._turn:
                if self._turn.wait_for(lambda: not self._active, timeout=LOOK_SECONDS):
                    if self._stopping:
                        return
                    self._at_work.clear()
                    continue
            try:
                self._renew_each()
                self._neighbours.look(list(self._active), self.interrupt)
            except Problem as problem:  # a full disk now may have space in a second, and the lease lasts longer
                logger("runner").warning("a lease could not be renewed", reason=problem.message)

    def _renew_each(self) -> None:
        for job, running in list(self._active.items()):
            ours = self._jobs.heartbeat(
                job,
                self.owner,
                step=running.step,
                steps=running.steps,
                image_index=running.index,
                now=datetime.now(UTC),
            )
            if not ours and job in self._active and self._queue.get(job).owner not in ("", self.owner):
                self.interrupt(job, CANCEL)


def giving_way(running: Sequence[Running], waiting: Sequence[int], places: int) -> list[Running]:
    """Which of the jobs that run leave for more urgent ones: as few as there are, the least urgent ones. `waiting` are
    the priorities of those that wait, in any order."""
    leaving = []
    stays = sorted(running, key=lambda one: (not one.alone, -one.job.priority, one.almost_done or not one.heard))
    for ahead, one in enumerate(stays):
        urgent = sum(priority > one.job.priority for priority in waiting)
        if urgent and ahead + urgent > places - 1 and not one.alone:
            leaving.append(one)
    return leaving


def _draws_here(running: Running) -> bool:
    return running.provider.capabilities().local
