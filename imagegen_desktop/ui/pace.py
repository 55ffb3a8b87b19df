"""Pace: how fast a job's steps go and how long the rest takes, from what its provider says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..protocol.messages import Started, Step

_MEMORY = 0.7


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Steps of image `index` of `count`; `seconds` is a step's, smoothed over the last few."""

    index: int = 0
    count: int = 1
    step: int = 0
    steps: int = 0
    seconds: float = 0.0

    def after(self, event: Started | Step) -> Pace:
        if isinstance(event, Started):
            return replace(self, index=event.index, step=event.step, steps=event.steps)
        smooth = _MEMORY * self.seconds + (1 - _MEMORY) * event.seconds if self.seconds else event.seconds
        return replace(self, index=event.index, step=event.step, steps=event.steps, seconds=smooth)

    @property
    def per_second(self) -> float:
        return 1 / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds until the job's last image, decoding not counted; None before the first step."""
        if self.seconds <= 0 or self.steps <= 0:
            return None
        rest = self.steps - self.step + self.steps * (self.count - 1 - self.index)
        return rest * self.seconds

    @property
    def share(self) -> float:
        """How much of the whole job is done, 0…1."""
        if self.steps <= 0:
            return 0.0
        return min(1.0, (self.index + self.step / self.steps) / max(1, self.count))
