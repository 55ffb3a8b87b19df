"""What becomes of a job when the engine, or the whole program, died under it."""

from __future__ import annotations

from ..domain.errors import EngineDied
from ..domain.job import Job, JobError, JobState
from .queue import CANCEL, PAUSE

#: How often a job may be begun before it counts as the cause of what happened to it.
MAX_ATTEMPTS = 2

_ADVICE = "Try a smaller size or another model, then retry."

ENDED_TWICE = JobError(
    kind="program_ended", message="The program ended twice while this job was running.", advice=_ADVICE
)


def after_death(
    job: Job, wish: str, problem: EngineDied, closing: bool, innocent: bool
) -> tuple[JobState, JobError | None]:
    """The state a job is left in when its engine died: once may be chance, twice is the job's doing, unless another
    job was being drawn (`innocent`)."""
    if wish == CANCEL:
        return JobState.CANCELLED, None
    if wish == PAUSE or closing:
        return JobState.PAUSED, None
    if innocent:
        return JobState.QUEUED, None
    if job.attempts < MAX_ATTEMPTS:
        return JobState.QUEUED, JobError(kind=problem.kind, message=problem.message, advice=problem.advice)
    text = f"It ended the engine {job.attempts} times: {problem.message}"
    return JobState.PARKED, JobError(kind=problem.kind, message=text, advice=_ADVICE)
