"""Branching: the state of another picture after some step, reached by drawing it that far."""

from __future__ import annotations

from typing import Any

import torch

from ..domain.request import BranchPoint, GenerationRequest
from .drawing import Drawing
from .state import State


class Reached(BaseException):
    """Raised at the step boundary to leave the parent's call. Not an `Exception`: no library may swallow it."""


class Approach(Drawing):
    """Draws a parent picture as far as the step where a branch leaves it, telling its steps as it goes."""

    def __init__(self, *args: Any, until: int) -> None:
        super().__init__(*args)
        self._until = until
        self._reached: State | None = None

    def reach(self) -> State:
        """The state after that step; raises Leave when somebody wishes so on the way."""
        try:
            self.call()
        except Reached:
            pass
        finally:
            self._writer.drop()
        assert self._reached is not None, "a branch leaves before the last step"
        return self._reached

    def stepped(self, step: int, latents: torch.Tensor, clean: torch.Tensor) -> None:
        super().stepped(step, latents, clean)
        if step == self._until:
            assert self._boundary is not None
            self._reached = self._boundary.state()
            raise Reached


def parent_of(branch: BranchPoint) -> GenerationRequest:
    """The request whose path the branch leaves: the nearest ancestor that had not branched itself by then."""
    parent = branch.request
    while parent.branch is not None and parent.branch.step >= branch.step:
        parent = parent.branch.request
    return parent
