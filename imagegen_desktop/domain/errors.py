"""The one tree of errors: what the artist can mend, what the world did, and what is our fault."""

from __future__ import annotations

from typing import ClassVar


class Problem(Exception):
    """Something an artist should read: one plain sentence and, where there is one, the remedy.

    `kind` is stable and machine-readable; it travels in JSON, over the pipe and into the database.
    """

    kind: ClassVar[str] = "problem"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "message": self.message, "advice": self.advice}


class BadInput(Problem):
    """A value nobody can work with; says which, what it was and what is allowed."""

    kind = "bad_input"
    exit_code = 2

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field}: {_shortened(value)} is not possible; {allowed}.")
        self.field = field
        self.value = value
        self.allowed = allowed


class NotFound(Problem):
    """An ID or name that was addressed and is not there."""

    kind = "not_found"
    exit_code = 3


class IllegalMove(Problem):
    """A job cannot go from its state to the one asked for (already done, already cancelled …)."""

    kind = "illegal_move"


class DiskProblem(Problem):
    """A folder cannot be written, a disk is full or failing."""

    kind = "disk"


class DatabaseProblem(Problem):
    """The library database is damaged, locked or newer than this program."""

    kind = "database"


class ModelProblem(Problem):
    """A model folder or file cannot be loaded."""

    kind = "model"


class OutOfMemory(Problem):
    """The GPU or the machine has too little memory for this job."""

    kind = "out_of_memory"


class EngineDied(Problem):
    """The engine process ended while it was working."""

    kind = "engine_died"


class EngineFault(Problem):
    """The engine reported an error it has no better name for."""

    kind = "engine"


class ProviderProblem(Problem):
    """A provider refused or failed. `holds`: every other job of that provider would meet the same, so its
    queue waits `retry_after` seconds (0: as long as that kind of trouble usually lasts)."""

    kind = "provider"
    holds: ClassVar[bool] = False

    def __init__(self, message: str, advice: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, advice)
        self.retry_after = retry_after


class Refused(ProviderProblem):
    """The provider's rules forbid this prompt or picture; asking again changes nothing."""

    kind = "refused"


class NotAllowed(ProviderProblem):
    """The account may not use this model (yet). `page`: where its licence can be accepted, if anywhere."""

    kind = "not_allowed"
    page = ""


class ModelGone(ProviderProblem):
    """The provider no longer has this model."""

    kind = "model_gone"


class BadAnswer(ProviderProblem):
    """The provider answered with something that is no picture."""

    kind = "bad_answer"


class Uncertain(ProviderProblem):
    """The request left and no answer came: it may have been paid for, so nobody sends it again by himself."""

    kind = "uncertain"


class OutOfCredit(ProviderProblem):
    """The account has no money left."""

    kind = "out_of_credit"
    holds = True


class KeyRefused(ProviderProblem):
    """There is no key, or the provider does not take it."""

    kind = "key"
    holds = True


class RateLimited(ProviderProblem):
    """Too many requests at the moment; nothing was made."""

    kind = "rate_limited"
    holds = True


class Unreachable(ProviderProblem):
    """The provider cannot be reached; nothing was sent."""

    kind = "unreachable"
    holds = True


class SpendingLimit(ProviderProblem):
    """The artist's own monthly limit would be passed; nothing was sent."""

    kind = "spending_limit"
    holds = True


class Interrupted(Problem):
    """The artist or the system asked us to stop; the job stays resumable."""

    kind = "interrupted"
    exit_code = 130


_BY_KIND: dict[str, type[Problem]] = {
    kind.kind: kind
    for kind in (
        Problem,
        NotFound,
        IllegalMove,
        DiskProblem,
        DatabaseProblem,
        ModelProblem,
        OutOfMemory,
        EngineDied,
        EngineFault,
        ProviderProblem,
        Refused,
        NotAllowed,
        ModelGone,
        BadAnswer,
        Uncertain,
        OutOfCredit,
        KeyRefused,
        RateLimited,
        Unreachable,
        SpendingLimit,
        Interrupted,
    )
}


def problem_from_dict(data: dict[str, str]) -> Problem:
    """The inverse of `Problem.as_dict`; an unknown kind becomes a plain `Problem`."""
    kind = _BY_KIND.get(data.get("kind", ""), Problem)
    return kind(data.get("message", "unknown error"), data.get("advice", ""))


def _shortened(value: object, limit: int = 60) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
