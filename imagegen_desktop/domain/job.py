"""Job: a request on its way through the queue, its states and the table of allowed moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from .errors import IllegalMove
from .request import GenerationRequest


class JobState(StrEnum):
    QUEUED = "queued"
    LEASED = "leased"
    RUNNING = "running"
    SAVING = "saving"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARKED = "parked"
    UNCERTAIN = "uncertain"


Q, L, R, S = JobState.QUEUED, JobState.LEASED, JobState.RUNNING, JobState.SAVING
P, D, F, C = JobState.PAUSED, JobState.DONE, JobState.FAILED, JobState.CANCELLED
K, U = JobState.PARKED, JobState.UNCERTAIN

#: From each state, the states a job may go to. Everything else is an IllegalMove.
MOVES: dict[JobState, frozenset[JobState]] = {
    Q: frozenset({L, P, C, K}),
    L: frozenset({R, Q, P, C, F, K}),
    R: frozenset({S, D, Q, P, C, F, K, U}),
    S: frozenset({R, D, Q, F, K}),
    P: frozenset({Q, C}),
    K: frozenset({Q, C}),
    U: frozenset({Q, D, F, C}),
    F: frozenset({Q}),
    C: frozenset({Q}),
    D: frozenset(),
}

FINISHED = frozenset({D, F, C})
ACTIVE = frozenset({L, R, S})
WAITING = frozenset({Q, P, K, U})

del Q, L, R, S, P, D, F, C, K, U


@dataclass(frozen=True, kw_only=True)
class JobError:
    """Why a job failed or was parked, in the artist's words."""

    kind: str
    message: str
    advice: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A row of the queue. Times are UTC in ISO 8601; `position` orders jobs of one priority.

    `step`/`steps` count scheduler iterations of image `image_index`; `images_done` counts saved images.
    """

    id: str
    state: JobState
    request: GenerationRequest
    priority: int = 0
    position: float = 0.0
    step: int = 0
    steps: int = 0
    image_index: int = 0
    images_done: int = 0
    attempts: int = 0
    owner: str = ""
    created: str = ""
    started: str = ""
    finished: str = ""
    error: JobError | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"state": self.state.value, "request": self.request.to_dict()}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Job:
        """The inverse of `to_dict`."""
        error = data.get("error")
        values = {
            "state": JobState(data["state"]),
            "request": GenerationRequest.from_dict(data["request"]),
            "error": JobError(**error) if error else None,
        }
        return Job(**{**data, **values})


def check_move(job: Job, to: JobState) -> None:
    """Raises IllegalMove unless `job` may go to state `to`."""
    if to not in MOVES[job.state]:
        raise IllegalMove(f"Job {job.id} is {job.state.value} and cannot become {to.value}.")
