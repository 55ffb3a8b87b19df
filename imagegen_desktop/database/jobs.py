"""The queue's rows: who waits, who works, and every move between the states in one transaction."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from peewee import fn

from ..domain.devices import names_of
from ..domain.errors import IllegalMove, NotFound
from ..domain.job import ACTIVE, FINISHED, MOVES, WAITING, Job, JobError, JobState, check_move
from ..domain.request import GenerationRequest
from .connection import Database, Library
from .positions import place_at
from .rows import error_to_json, job_from_row, job_rows, request_to_json, storable
from .tables import JobRow, columns

_CHANGEABLE = frozenset(field.name for field in fields(Job)) - {"id", "state"}
_NO_LEASE = {"owner": "", "lease_until": 0.0, "lease_seconds": 0.0}
_COLUMNS = columns(JobRow)
_CHUNK = 500
_NAMES = ", ".join(column.column_name for column in _COLUMNS)
_SELECT_ONE = f"SELECT {_NAMES} FROM jobs WHERE id = ?"
_DEVICE = fn.COALESCE(fn.json_extract(JobRow.request, "$.device"), "")
_UNCERTAIN = JobError(
    kind="uncertain",
    message="The program ended while the provider was at work.",
    advice="It may have been charged. It is not sent again unless you retry it.",
)


class Jobs:
    """All jobs of a library, by urgency (highest priority, then lowest position). `now` is an aware datetime."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def add(self, jobs: Sequence[Job], lease_until: float = 0.0, lease_seconds: float = 0.0) -> None:
        """Queues all jobs or none; those at position 0 go to the end in the order given.

        Jobs that come with an owner are his until `lease_until` (Unix seconds).
        """
        marks = ", ".join("?" * len(_COLUMNS))
        statement = f"INSERT INTO jobs ({_NAMES}) VALUES ({marks})"

        def insert(db: Database) -> None:
            end = _last_position(db)
            db.connection().executemany(statement, job_rows(jobs, end, lease_until, lease_seconds))

        self._library.write(insert)

    def get(self, job_id: str) -> Job:
        """One job; raises NotFound."""
        return self._library.read(lambda db: _job(db, job_id))

    def list(self, states: Collection[JobState] | None = None) -> tuple[Job, ...]:
        """The jobs in these states (all without), the most urgent first."""
        query = JobRow.select(*_COLUMNS).order_by(JobRow.priority.desc(), JobRow.position, JobRow.id)
        if states is not None:
            query = query.where(JobRow.state.in_([state.value for state in states]))
        return self._library.read(lambda db: _jobs(db, query))

    def some(self, ids: Sequence[str]) -> tuple[Job, ...]:
        """Those of these jobs that are there, in no order."""
        queries = [JobRow.select(*_COLUMNS).where(JobRow.id.in_(list(chunk))) for chunk in _chunks(ids)]
        return self._library.read(lambda db: tuple(job for query in queries for job in _jobs(db, query)))

    def states(self, ids: Sequence[str]) -> dict[str, JobState]:
        """What each of these jobs does; raises NotFound."""
        return self._library.read(lambda db: _states(db, ids))

    def waiting(self) -> builtins.list[str]:
        """The waiting ones by name, the most urgent first."""
        query = JobRow.select(JobRow.id).where(JobRow.state.in_(_values(WAITING)))
        query = query.order_by(JobRow.priority.desc(), JobRow.position, JobRow.id)
        return self._library.read(lambda db: [row[0] for row in db.execute(query)])

    def latest(self, limit: int) -> tuple[Job, ...]:
        """The finished ones, the latest first."""
        query = JobRow.select(*_COLUMNS).where(JobRow.state.in_(_values(FINISHED)))
        query = query.order_by(JobRow.finished.desc(), JobRow.id.desc()).limit(limit)
        return self._library.read(lambda db: _jobs(db, query))

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state; every state is named."""
        query = JobRow.select(JobRow.state, fn.COUNT(1)).group_by(JobRow.state)
        found = dict(self._library.read(lambda db: [*db.execute(query)]))
        return {state: found.get(state.value, 0) for state in JobState}

    def claim(
        self,
        owner: str,
        now: datetime,
        lease_seconds: float,
        providers: Collection[str],
        only: str | None = None,
        but: Collection[str] = (),
        busy_devices: Collection[str] = (),
    ) -> Job | None:
        """Leases the most urgent queued job of these providers to `owner`, counting the attempt; None without one.

        With `only` it is that job or none; it is none of `but`, and none that insists on a busy device.
        """
        waiting = JobRow.select(*_COLUMNS).where(
            (JobRow.state == JobState.QUEUED.value) & JobRow.provider.in_(list(providers))
        )
        if only is not None:
            waiting = waiting.where(JobRow.id == only)
        if but:
            waiting = waiting.where(JobRow.id.not_in(list(but)))
        if busy_devices:
            waiting = waiting.where(_DEVICE.not_in([name for full in busy_devices for name in names_of(full)]))
        first = waiting.order_by(JobRow.priority.desc(), JobRow.position, JobRow.id).limit(1)

        def lease(db: Database) -> Job | None:
            found = _jobs(db, first)
            if not found:
                return None
            change = {
                "state": JobState.LEASED.value,
                "owner": owner,
                "attempts": found[0].attempts + 1,
                "lease_until": now.timestamp() + lease_seconds,
                "lease_seconds": lease_seconds,
            }
            _update(db, [found[0].id], change)
            return _job(db, found[0].id)

        return self._library.write(lease)

    def priorities_above(self, priority: int, provider: str, limit: int) -> builtins.list[tuple[int, str]]:
        """Of a provider's queued jobs that are more urgent than that, the highest first: their priority, and the
        device they insist on, empty for any."""
        waiting = (JobRow.state == JobState.QUEUED.value) & (JobRow.provider == provider)
        query = JobRow.select(JobRow.priority, _DEVICE).where(waiting & (JobRow.priority > priority))
        query = query.order_by(JobRow.priority.desc()).limit(limit)
        return self._library.read(lambda db: list(db.execute(query)))

    def heartbeat(self, job_id: str, owner: str, *, step: int, steps: int, image_index: int, now: datetime) -> bool:
        """Notes progress and renews the lease; False when the job is no longer this owner's (cancelled, taken over)."""
        change = JobRow.update(
            step=step, steps=steps, image_index=image_index, lease_until=now.timestamp() + JobRow.lease_seconds
        ).where((JobRow.id == job_id) & (JobRow.owner == owner) & JobRow.state.in_(_values(ACTIVE)))
        return bool(self._library.write(change.execute))

    def move_state(self, job_id: str, to: JobState, *, held_by: str | None = None, **changes: Any) -> Job:
        """Moves a job and changes fields of it with that; raises NotFound or IllegalMove.

        With `held_by`, only if that owner holds it still. A job that stops being active loses owner and lease.
        """
        unknown = changes.keys() - _CHANGEABLE
        if unknown:
            raise TypeError(f"a job has no {', '.join(sorted(unknown))} to change")

        def move(db: Database) -> Job:
            job = _job(db, job_id)
            check_move(job, to)
            if held_by is not None and job.owner != held_by:
                raise IllegalMove(f"Job {job_id} was taken over by another process.")
            lease = {} if to in ACTIVE else _NO_LEASE
            _update(db, [job_id], {"state": to.value, **lease, **_column_values(changes)})
            return _job(db, job_id)

        return self._library.write(move)

    def move_waiting(self, ids: Sequence[str], to: JobState, **changes: Any) -> dict[str, JobState]:
        """Moves all of these jobs that may go there and are not at work, in one transaction; the states of the
        others, which stay as they are. Raises NotFound, and then none was moved."""

        def move(db: Database) -> dict[str, JobState]:
            states = _states(db, ids)
            others = {job: state for job, state in states.items() if state in ACTIVE or to not in MOVES[state]}
            for chunk in _chunks([job for job in states if job not in others]):
                _update(db, chunk, {"state": to.value, **_NO_LEASE, **_column_values(changes)})
            return others

        return self._library.write(move)

    def reorder(self, job_id: str, to_index: int) -> Job:
        """Puts a waiting job at that index of the waiting ones, taking its neighbours' priority where it must."""

        def place(db: Database) -> Job:
            job = _job(db, job_id)
            if job.state not in WAITING:
                raise IllegalMove(f"Job {job_id} is {job.state.value}; only waiting jobs have a place in the queue.")
            priority, position = place_at(db, job, max(to_index, 0))
            _update(db, [job_id], {"priority": priority, "position": position})
            return _job(db, job_id)

        return self._library.write(place)

    def update_request(self, ids: Sequence[str], requests: Sequence[GenerationRequest]) -> tuple[Job, ...]:
        """Gives waiting or failed jobs other requests, all or none; progress starts again."""

        def change(db: Database) -> tuple[Job, ...]:
            for job_id, request in zip(ids, requests, strict=True):
                job = _job(db, job_id)
                if job.state in ACTIVE or job.state is JobState.DONE:
                    raise IllegalMove(f"Job {job_id} is {job.state.value} and cannot be edited.")
                _update(db, [job_id], _column_values({"request": request, "step": 0, "priority": request.priority}))
            return tuple(_job(db, job_id) for job_id in ids)

        return self._library.write(change)

    def remove(self, ids: Sequence[str]) -> tuple[Job, ...]:
        """Takes jobs out of the queue, all or none, and returns them (`add` puts them back where they were)."""

        def take_out(db: Database) -> tuple[Job, ...]:
            jobs = tuple(_job(db, job_id) for job_id in ids)
            for job in jobs:
                if job.state in ACTIVE:
                    raise IllegalMove(f"Job {job.id} is {job.state.value}; cancel it first.")
            db.connection().executemany("DELETE FROM jobs WHERE id = ?", [(job.id,) for job in jobs])
            return jobs

        return self._library.write(take_out)

    def clear_finished(self) -> tuple[Job, ...]:
        """Takes out every job that is done, failed or cancelled, and returns them."""
        finished = JobRow.select(*_COLUMNS).where(JobRow.state.in_(_values(FINISHED)))

        def clear(db: Database) -> tuple[Job, ...]:
            jobs = _jobs(db, finished)
            JobRow.delete().where(JobRow.state.in_(_values(FINISHED))).execute(db)
            return jobs

        return self._library.write(clear)

    def recover(
        self, now: datetime, dead_owners: Collection[str] = (), at_most_once: Collection[str] = ()
    ) -> tuple[Job, ...]:
        """Frees the jobs of owners that died (known dead, or lease run out), attempts kept, and returns them.

        They queue again; but a job of an `at_most_once` provider may have been paid for already: it becomes
        uncertain (parked, when the answer was there) and waits for the artist.
        """
        abandoned = JobRow.select(*_COLUMNS).where(
            JobRow.state.in_(_values(ACTIVE))
            & ((JobRow.lease_until < now.timestamp()) | JobRow.owner.in_(list(dead_owners)))
        )

        def free(db: Database) -> tuple[Job, ...]:
            jobs = _jobs(db, abandoned)
            for job in jobs:
                to = _after_death(job, at_most_once)
                check_move(job, to)
                why = {"error": error_to_json(_UNCERTAIN)} if to is JobState.UNCERTAIN else {}
                _update(db, [job.id], {"state": to.value, **_NO_LEASE, **why})
            return tuple(_job(db, job.id) for job in jobs)

        return self._library.write(free)


def count_image(db: Database, job_id: str, finished: str) -> None:
    """Notes one more saved image of a job, inside the caller's transaction; the last one makes the job done."""
    job = _found(db, job_id)
    if job is None:
        return
    done = job.images_done + 1
    change: dict[str, Any] = {"images_done": done}
    if job.state in (JobState.RUNNING, JobState.SAVING):
        if done >= job.request.count:
            change |= {"state": JobState.DONE.value, "step": job.steps, "finished": finished, **_NO_LEASE}
        else:
            change["state"] = JobState.RUNNING.value
    _update(db, [job_id], change)


def stamp(moment: datetime) -> str:
    """A moment as the library writes it: UTC, ISO 8601, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _after_death(job: Job, at_most_once: Collection[str]) -> JobState:
    if job.request.provider not in at_most_once or job.state is JobState.LEASED:
        return JobState.QUEUED
    return JobState.UNCERTAIN if job.state is JobState.RUNNING else JobState.PARKED


def _jobs(db: Database, query: Any) -> tuple[Job, ...]:
    return tuple(job_from_row(row) for row in db.execute(query))


def _job(db: Database, job_id: str) -> Job:
    found = _found(db, job_id)
    if found is None:
        raise NotFound(f"There is no job {job_id}.")
    return found


def _found(db: Database, job_id: str) -> Job | None:
    return next(map(job_from_row, db.execute_sql(_SELECT_ONE, [job_id])), None)


def _states(db: Database, ids: Sequence[str]) -> dict[str, JobState]:
    queries = (JobRow.select(JobRow.id, JobRow.state).where(JobRow.id.in_(list(chunk))) for chunk in _chunks(ids))
    found = {job_id: JobState(state) for query in queries for job_id, state in db.execute(query)}
    for job_id in ids:
        if job_id not in found:
            raise NotFound(f"There is no job {job_id}.")
    return found


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


def _update(db: Database, ids: Sequence[str], values: dict[str, Any]) -> None:
    JobRow.update(**values).where(JobRow.id.in_(list(ids))).execute(db)


def _column_values(changes: dict[str, Any]) -> dict[str, Any]:
    values = dict(changes)
    if isinstance(values.get("request"), GenerationRequest):
        values["provider"] = storable(values["request"].provider)
        values["request"] = request_to_json(values["request"])
    if "error" in values:
        error: JobError | None = values["error"]
        values["error"] = error_to_json(error)
    return values


def _last_position(db: Database) -> float:
    return float(next(iter(db.execute(JobRow.select(fn.COALESCE(fn.MAX(JobRow.position), 0.0)))))[0])


def _values(states: Iterable[JobState]) -> Any:
    return [state.value for state in states]
