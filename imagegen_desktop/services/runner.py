"""The runner: claims jobs and drives each to its end, whatever happens to it on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from ..database.jobs import Jobs
from ..domain.devices import full_name
from ..domain.errors import DiskProblem
from ..domain.job import Job, JobState
from ..providers.base import Placing, Provider
from .announce import Announcer, JobsChanged
from .driving import Driver
from .holds import Holds
from .queue import CANCEL, PAUSE, Queue, now
from .running import YIELD, Running
from .underway import Underway

#: So many of the most urgent jobs that wait are looked at: more than there are places anywhere.
_MOST_URGENT = 100


class Runner:
    """Any number of threads may call `work_once`; each drives one job at a time.

    A local job almost at its end lets one more begin, so that its engine has it before it asks.
    """

    def __init__(
        self,
        underway: Underway,
        jobs: Jobs,
        queue: Queue,
        providers: Mapping[str, Provider],
        driver: Driver,
        holds: Holds,
        announce: Announcer,
    ) -> None:
        self._underway = underway
        self._turn = underway.turn
        self._jobs = jobs
        self._queue = queue
        self._providers = providers
        self._driver = driver
        self._holds = holds
        self._announce = announce

    @property
    def owner(self) -> str:
        """The name under which jobs are leased to this process."""
        return self._underway.owner

    # ---- work ---------------------------------------------------------------------------------------------

    def work_once(self, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Claims the next job and drives it to its end; False when nothing waits or it is not our turn."""
        with self._turn:
            job = None if self._underway.closing or should_stop() or self._queue.paused else self._claim()
            if job is None:
                return False
            running = self._begin(job)
        self._drive(running)
        return True

    def wait_for_work(self, timeout: float) -> bool:
        """Waits until a job was added or a place became free; also notices what other processes changed."""
        with self._turn:
            woken = self._turn.wait(timeout)
        self._underway.look_around()
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
        with self._turn:
            return self._underway.claim([provider], only=job)

    def wake(self) -> None:
        """Says that a job may wait now; where it is more urgent than a local job and there is no other place, that
        one makes room at its next step."""
        self._make_room()
        with self._turn:
            self._turn.notify_all()

    def _make_room(self) -> None:
        staying = [running for running in self._underway.all() if _draws_here(running) and not running.wish]
        if not staying or self._queue.paused:
            return
        least = min(running.job.priority for running in staying)
        for provider in {running.provider.name: running.provider for running in staying}.values():
            waiting = self._jobs.priorities_above(least, provider.name, _MOST_URGENT)
            mine = [running for running in staying if running.provider is provider]
            for running in _leaving(provider, mine, waiting):
                self._underway.interrupt(running.job.id, YIELD)

    def park(self) -> None:
        """What is drawn on this computer leaves at its next step; if something was, the queue stands still."""
        local = [running for running in self._underway.all() if _draws_here(running)]
        if local:
            self._queue.pause_all()
        for running in local:
            if not running.wish:
                self._underway.interrupt(running.job.id, YIELD)

    def stop(self) -> list[str]:
        """Pauses every running job resumably and lets nothing further begin; the jobs it paused."""
        with self._turn:
            active = self._underway.close()
        for running in active:
            running.closing = True
            self._underway.interrupt(running.job.id, PAUSE)
        return [running.job.id for running in active]

    def wait_until_idle(self, timeout: float | None = None) -> bool:
        """Waits until no job runs here; False when the time was too short."""
        with self._turn:
            return self._turn.wait_for(lambda: not self._underway.all(), timeout)

    # ---- one job ------------------------------------------------------------------------------------------

    def _claim(self) -> Job | None:
        free = [name for name in self._providers if self._has_place(name) and self._holds.reason(name) is None]
        try:
            self._driver.write_ends()
            return self._underway.claim(free, busy_devices=self._busy_devices(free)) if free else None
        except DiskProblem as problem:  # nothing was begun, and nothing can be until there is space
            for name in free:
                self._holds.hold(name, self._providers[name].capabilities().title, problem)
            return None

    def _has_place(self, provider: str) -> bool:
        mine = [running for running in self._underway.all() if running.provider.name == provider]
        places = self._providers[provider].capabilities().places
        return len(mine) < places + min(places, sum(running.almost_done for running in mine))

    def _busy_devices(self, providers: Sequence[str]) -> frozenset[str]:
        """Where a job that insists on one would only take a place and wait in it."""
        placing = [each for name in providers if isinstance(each := self._providers[name], Placing)]
        return frozenset().union(*(provider.busy_devices() for provider in placing))

    def _begin(self, job: Job) -> Running:
        provider = self._providers[job.request.provider]
        if isinstance(provider, Placing):
            provider.expect(job)
        running = Running(job=job, provider=provider, on_almost_done=self._let_another_begin)
        self._underway.add(running)
        return running

    def _drive(self, running: Running) -> None:
        state: JobState | None = None
        try:
            while (
                (state := self._attempt(running)) is JobState.QUEUED
                and not running.wish
                and not running.innocent
                and self._holds.reason(running.provider.name) is None
            ):
                # The engine died under it: once more at once, unless another process was quicker.
                again = self._underway.claim_again(running)
                if again is None:
                    break
                running.job = again
        finally:
            if isinstance(running.provider, Placing):
                running.provider.forget(running.job.id)
            self._underway.remove(running)
            if state is JobState.QUEUED:
                self._fulfil(running)
            self._announce.publish(JobsChanged(ids=(running.job.id,)))

    def _fulfil(self, running: Running) -> None:
        """What was wished of a job after its engine had died under it: it waits, and its provider knows it no more."""
        if running.wish not in (CANCEL, PAUSE) or self._underway.claim_again(running) is None:
            return
        ended = {"finished": now()} if running.wish == CANCEL else {}
        state = JobState.CANCELLED if running.wish == CANCEL else JobState.PAUSED
        self._jobs.move_state(running.job.id, state, held_by=self._underway.owner, **ended)

    def _attempt(self, running: Running) -> JobState:
        with self._turn:
            others = [other for other in self._underway.all() if other is not running]
            running.behind = _is_behind(running, [one for one in others if one.provider is running.provider])
            running.heard = running.almost_done = False
        return self._driver.attempt(running)

    def _let_another_begin(self) -> None:
        with self._turn:
            self._turn.notify_all()


def _is_behind(running: Running, others: Sequence[Running]) -> bool:
    """Whether it has to wait for one of those that its provider has already."""
    provider = running.provider
    if isinstance(provider, Placing) and (device := provider.device_of(running.job.id)):
        ahead = sum(provider.device_of(other.job.id) == device for other in others)
        return ahead >= provider.devices().get(device, 1)
    return len(others) >= provider.capabilities().places


def _leaving(provider: Provider, mine: Sequence[Running], waiting: Sequence[tuple[int, str]]) -> list[Running]:
    """Which of its jobs leave: at each device those in the way of what insists on it, then for all others."""
    places, devices = provider.capabilities().places, provider.devices() if isinstance(provider, Placing) else {}
    bound = defaultdict(list)
    for priority, device in waiting:
        bound[name if (name := full_name(device)) in devices else ""].append(priority)
    anywhere, leaving = bound.pop("", []), []
    for device, urgent in bound.items():
        here = [one for one in mine if isinstance(provider, Placing) and provider.device_of(one.job.id) == device]
        leaving += giving_way(here, urgent, devices[device])
        places -= min(len(urgent), devices[device])
    return leaving + giving_way([one for one in mine if one not in leaving], anywhere, places)


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
