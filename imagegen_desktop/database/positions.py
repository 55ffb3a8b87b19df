"""Places in the queue as fractions: moving one job writes one row, whatever the length of the queue."""

from __future__ import annotations

from typing import Any

from ..domain.job import WAITING, Job
from .connection import Database
from .tables import JobRow

SMALLEST_GAP = 1e-6

_WAITING = [state.value for state in WAITING]


def place_at(db: Database, job: Job, index: int) -> tuple[int, float]:
    """The priority and position that put `job` at `index` of the waiting jobs; renumbers when the gaps are used up."""
    before, after = _neighbours(db, job, index)
    place = _between(job, before, after)
    if place is None:
        _renumber(db)
        before, after = _neighbours(db, job, index)
        place = _between(job, before, after)
    assert place is not None
    return place


Place = tuple[int, float]


def _neighbours(db: Database, job: Job, index: int) -> tuple[Place | None, Place | None]:
    others = (
        JobRow.select(JobRow.priority, JobRow.position)
        .where(JobRow.state.in_(_WAITING) & (JobRow.id != job.id))
        .order_by(JobRow.priority.desc(), JobRow.position, JobRow.id)
    )
    rows: list[Place] = list(db.execute(others.limit(2).offset(max(index - 1, 0))))
    if index == 0:
        return None, rows[0] if rows else None
    if not rows:  # further than the end
        last: list[Place] = list(db.execute(_reversed(others).limit(1)))
        return (last[0] if last else None), None
    return rows[0], rows[1] if len(rows) > 1 else None


def _reversed(query: Any) -> Any:
    return query.order_by(JobRow.priority, JobRow.position.desc(), JobRow.id.desc())


def _between(job: Job, before: Place | None, after: Place | None) -> Place | None:
    highest = before[0] if before else max(job.priority, after[0] if after else job.priority)
    lowest = after[0] if after else min(job.priority, highest)
    priority = min(max(job.priority, lowest), highest)
    low = before[1] if before and before[0] == priority else None
    high = after[1] if after and after[0] == priority else None
    if high is None:
        return priority, (low or 0.0) + 1.0
    low = low or 0.0
    return (priority, (low + high) / 2) if high - low > SMALLEST_GAP else None


def _renumber(db: Database) -> None:
    ids = [row[0] for row in db.execute(JobRow.select(JobRow.id).order_by(JobRow.position, JobRow.id))]
    rows = [(float(number), job_id) for number, job_id in enumerate(ids, 1)]
    db.connection().executemany("UPDATE jobs SET position = ? WHERE id = ?", rows)
