"""The jobs under way in this process: leased to it, and kept its own for as long as they run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from ..database.jobs import Jobs
from ..domain.errors import Problem
from ..domain.job import Job
from ..logs import logger
from .neighbours import LOOK_SECONDS, Neighbours
from .queue import CANCEL, LEASE_SECONDS
from .running import Running


class Underway:
    """A thread renews their leases while there are any. Whoever begins or ends one holds `turn`, and whoever waits
    for that waits on it."""

    def __init__(self, owner: Callable[[], str], jobs: Jobs, neighbours: Neighbours) -> None:
        self.turn = threading.Condition()
        self.closing = False
        self._owner = owner
        self._jobs = jobs
        self._neighbours = neighbours
        self._running: dict[str, Running] = {}
        self._at_work = threading.Event()
        self._pulse = threading.Thread(target=self._renew_leases, name="runner-leases", daemon=True)

    @property
    def owner(self) -> str:
        """The name under which jobs are leased to this process."""
        return self._owner()

    def claim(
        self, providers: Sequence[str], only: str | None = None, busy_devices: Collection[str] = ()
    ) -> Job | None:
        """Leases the next job of these providers that does not insist on a busy device, or `only` that one; None when
        none waits. Within the caller's turn.

        A job that is under way here and waits has lost its engine: whoever drove it claims it again.
        """
        return self._claim(providers, only, list(self._running), busy_devices)

    def claim_again(self, running: Running) -> Job | None:
        """Leases a job under way that waits once more; None when another process was quicker."""
        return self._claim([running.provider.name], running.job.id)

    def all(self) -> list[Running]:
        return list(self._running.values())

    def add(self, running: Running) -> None:
        """Within the caller's turn."""
        self._running[running.job.id] = running
        self._at_work.set()
        if not self._pulse.is_alive():
            self._pulse.start()

    def remove(self, running: Running) -> None:
        with self.turn:
            self._running.pop(running.job.id, None)
            self.turn.notify_all()

    def interrupt(self, job: str, wish: str) -> bool:
        """Passes a wish on to a job that runs here; False when it does not."""
        with self.turn:  # whoever removes it sees every wish that was accepted
            running = self._running.get(job)
            if running is None:
                return False
            if running.wish != CANCEL:  # which nothing takes back
                running.wish = wish
        running.pass_wish_on()
        return True

    def close(self) -> list[Running]:
        """Within the caller's turn: nothing further is to begin; those that still run."""
        self.closing = True
        self._at_work.set()
        self.turn.notify_all()
        return self.all()

    def look_around(self) -> None:
        """Notices what other processes on this home changed, and wish of jobs that run here."""
        self._neighbours.look(list(self._running), self.interrupt)

    def _claim(
        self, providers: Sequence[str], only: str | None, but: Sequence[str] = (), busy_devices: Collection[str] = ()
    ) -> Job | None:
        return self._jobs.claim(self.owner, datetime.now(UTC), LEASE_SECONDS, providers, only, but, busy_devices)

    def _renew_leases(self) -> None:
        """Keeps the jobs ours, and notes how far they are, about once a second.

        Between jobs it waits: a thread takes longer to start than the rest of a job's beginning.
        """
        while True:
            self._at_work.wait()
            with self.turn:
                if self.turn.wait_for(lambda: not self._running, timeout=LOOK_SECONDS):
                    if self.closing:
                        return
                    self._at_work.clear()
                    continue
            try:
                self._renew_each()
                self.look_around()
            except Problem as problem:  # a full disk now may have space in a second, and the lease lasts longer
                logger("runner").warning("a lease could not be renewed", reason=problem.message)

    def _renew_each(self) -> None:
        for job, running in list(self._running.items()):
            ours = self._jobs.heartbeat(
                job,
                self.owner,
                step=running.step,
                steps=running.steps,
                image_index=running.index,
                now=datetime.now(UTC),
            )
            if not ours and job in self._running and self._jobs.get(job).owner not in ("", self.owner):
                self.interrupt(job, CANCEL)
