"""The desk: what the outside world wants of the running job, looked at between two steps."""

from __future__ import annotations

from enum import Enum


class Wish(Enum):
    CANCEL = "cancel"
    PAUSE = "pause"


class Leave(BaseException):
    """Raised at the step boundary to leave a pipeline call. Not an `Exception`: no library may swallow it."""

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish.value)
        self.wish = wish


class Desk:
    """Of one job. `wish` is set by the listening thread, `step` by the stepping one; both only ever read plainly."""

    def __init__(self, job: str = "", index: int = 0) -> None:
        self.job = job
        self.index = index
        self.step = 0
        self.steps = 0
        self.wish: Wish | None = None

    def ask(self, wish: Wish) -> None:
        """A cancel outranks a pause."""
        if self.wish is not Wish.CANCEL:
            self.wish = wish

    def leave_if_cancelled(self) -> None:
        if self.wish is Wish.CANCEL:
            raise Leave(Wish.CANCEL)

    def leave_if_wished(self) -> None:
        if self.wish is not None:
            raise Leave(self.wish)
