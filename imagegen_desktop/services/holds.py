"""Holds: a provider that is offline, out of credit or asks us to slow down waits alone; the others go on.

What is drawn here waits while there is no space to keep it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..domain.errors import DiskProblem, OutOfCredit, Problem, ProviderProblem, RateLimited, Unreachable
from .announce import Announcement, Announcer, Notice, ProvidersChanged, SettingsChanged

_SECONDS: dict[type[Problem], float] = {DiskProblem: 2.0, RateLimited: 20.0, Unreachable: 15.0, OutOfCredit: 900.0}
_MENDING = {"monthly_limit_dollars", "cloud_timeout_seconds"}
_OTHERWISE = 300.0
_LONGEST = 300.0


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Why nothing goes to a provider, and until when (monotonic seconds)."""

    problem: Problem
    until: float
    times: int = 1


class Holds:
    """Kept in memory: every process finds out for itself, at the price of one refused request."""

    def __init__(self, announce: Announcer, clock: Callable[[], float] = time.monotonic) -> None:
        self._announce = announce
        self._clock = clock
        self._lock = threading.Lock()
        self._holds: dict[str, Hold] = {}
        announce.subscribe(self._heard)

    def hold(self, provider: str, title: str, problem: Problem) -> None:
        """Nothing more goes to this provider for a while; said once, not for every job."""
        with self._lock:
            before = self._holds.get(provider)
            known = before is not None and before.problem.kind == problem.kind
            # Jobs that ran side by side meet the same trouble; that is one time, not several in a row.
            times = before.times + (self._clock() >= before.until) if before is not None and known else 1
            self._holds[provider] = Hold(problem=problem, until=self._clock() + _seconds(problem, times), times=times)
        if not known:
            text = f"{title} waits: {problem.message}"
            self._announce.publish(Notice(level="warning", text=text, advice=problem.advice, provider=provider))
        self._announce.publish(ProvidersChanged(names=(provider,)))

    def reason(self, provider: str) -> Problem | None:
        """Why a provider waits at this moment; None when it does not."""
        with self._lock:
            hold = self._holds.get(provider)
        return hold.problem if hold is not None and self._clock() < hold.until else None

    def _heard(self, announcement: Announcement) -> None:
        """A limit raised or a longer patience is worth another try."""
        if isinstance(announcement, SettingsChanged) and _MENDING & set(announcement.names):
            self.release()

    def release(self, provider: str | None = None) -> None:
        """The artist mended something: this provider, or all, may be asked again at once."""
        with self._lock:
            names = tuple(self._holds) if provider is None else tuple(name for name in self._holds if name == provider)
            for name in names:
                del self._holds[name]
        if names:
            self._announce.publish(ProvidersChanged(names=names))


def _seconds(problem: Problem, times: int) -> float:
    """What the provider asked for; else longer with every time in a row, five minutes at most."""
    if isinstance(problem, ProviderProblem) and problem.retry_after:
        return problem.retry_after
    first = _SECONDS.get(type(problem), _OTHERWISE)
    return max(first, min(first * 2.0 ** (times - 1), _LONGEST))
