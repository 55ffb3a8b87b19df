"""Recovery: at the start, what dead processes left behind is put right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ..database.connection import Library
from ..database.jobs import Jobs
from ..domain.errors import NotFound
from ..domain.job import ACTIVE, Job, JobState
from ..providers.base import Provider
from .announce import Announcer, JobsChanged
from .outcome import ENDED_TWICE, MAX_ATTEMPTS
from .owners import owner_is_dead
from .paid import PaidWork
from .snapshots import Snapshots


class Recovery:
    """Any process may run it at any time: jobs of those that live are left alone."""

    def __init__(
        self,
        library: Library,
        jobs: Jobs,
        providers: Mapping[str, Provider],
        paid: PaidWork,
        snapshots: Snapshots,
        announce: Announcer,
    ) -> None:
        self._library = library
        self._jobs = jobs
        self._providers = providers
        self._paid = paid
        self._snapshots = snapshots
        self._announce = announce

    def recover(self) -> list[Job]:
        """Jobs that a dead process left leased or running wait again; returns them."""
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
        if not self._library.was_just_restored():
            self._snapshots.tidy(self._may_go_on)
        if recovered:
            self._announce.publish(JobsChanged(ids=tuple(job.id for job in recovered)))
        return recovered

    def _may_go_on(self, job: str) -> bool:
        try:
            return self._jobs.get(job).state not in (JobState.DONE, JobState.CANCELLED)
        except NotFound:
            return False
