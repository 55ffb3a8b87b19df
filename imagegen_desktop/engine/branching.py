"""Branching: the state of another picture after some step, reached by drawing it that far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from .drawing import Drawing
from .state import State


class Reached(BaseException):
    """Raised at the step boundary to leave the parent's call. Not an `Exception`: no library may swallow it."""


class Approach(Drawing):
    """Draws a parent picture as far as the step where a branch leaves it, or to its last one, telling its steps as it
    goes. A snapshot of the parent's spares the steps it holds."""

    def __init__(
        self,
        *args: Any,
        until: int,
        before: int = 0,
        has_begun: bool = False,
        after: Callable[[int], int] | None = None,
    ) -> None:
        """`before` are the steps that an earlier pass took; `has_begun` when it said so. `after` tells how many a later
        one will take."""
        super().__init__(*args)
        self._until = until
        self._after = after or self._after
        self._before, self.has_begun = before, has_begun
        self._start: State | None = None
        self._reached: State | None = None

    def reach(self, start: State | None = None) -> State:
        """The state after that step, from `start` on where it is known; raises Leave when somebody wishes so on the
        way."""
        self._start = start or self._kept()
        if self._start is not None and self._start.step == min(self._until, self._start.steps):
            return self._start
        try:
            self.call()
        except Reached:
            pass
        finally:
            self._writer.drop()
        assert self._reached is not None, "the last step is one of them"
        return self._reached

    def stepped(self, step: int, latents: torch.Tensor, guess: Callable[[], torch.Tensor]) -> None:
        super().stepped(step, latents, guess)
        assert self._boundary is not None
        if step == min(self._until, self._boundary.steps):
            self._reached = self._boundary.state()
            raise Reached

    def _resumable(self) -> State | None:
        return self._start

    def _kept(self) -> State | None:
        """Where to begin, unless that is beyond the branch."""
        state = super()._resumable()
        if state is not None and state.step > self._until:
            self._command = replace(self._command, resume="")
            state = super()._resumable()
        return state
