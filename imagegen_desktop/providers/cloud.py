"""CloudProvider: what makers of images over the network share: one exchange for each job, left from any thread."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..domain.errors import KeyRefused
from ..protocol.messages import Cancelled, Paused
from .base import Assignment, ProviderEvent
from .leaving import CANCEL, CLOSE, PAUSE, Left

if TYPE_CHECKING:
    from .exchange import Exchange


#: Jobs of one provider at the same time; new accounts are not allowed many more.
PLACES = 2


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a provider may ask of the program: a key by its credential's name, its address if another was set, how
    many seconds of silence are too many, and how many previews the artist wants."""

    key: Callable[[str], str]
    endpoint: Callable[[str], str]
    silence_seconds: Callable[[], float] = lambda: 180.0
    previews: Callable[[], int] = lambda: 2


class CloudProvider(ABC):
    """Draws the images of a job one after the other, each by its own request."""

    name = ""
    title = ""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._exchanges: dict[str, Exchange] = {}

    @abstractmethod
    def _draw(self, assignment: Assignment, index: int, exchange: Exchange) -> AsyncGenerator[ProviderEvent, None]:
        """One image: its events, of which the last is Encoded."""

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        from .exchange import Exchange

        job, exchange = assignment.job, Exchange()
        self._exchanges[job.id] = exchange
        try:
            for index in range(assignment.first_index, job.request.count):
                yield from exchange.iterate(self._draw(assignment, index, exchange))
                if exchange.pausing and index + 1 < job.request.count:
                    yield Paused(job=job.id, index=index + 1, step=0, steps=0)
                    return
        except Left as left:
            yield self._farewell(assignment, left)
        finally:
            self._exchanges.pop(job.id, None)
            exchange.close()

    def cancel(self, job: str) -> None:
        self._leave(job, CANCEL)

    def pause(self, job: str) -> None:
        self._leave(job, PAUSE)

    def close(self) -> None:
        for job in list(self._exchanges):
            self._leave(job, CLOSE)

    def _leave(self, job: str, reason: str) -> None:
        exchange = self._exchanges.get(job)
        if exchange is not None:
            exchange.leave(reason)

    def _farewell(self, assignment: Assignment, left: Left) -> ProviderEvent:
        if left.reason == CANCEL:
            return Cancelled(job=assignment.job.id)
        return Paused(job=assignment.job.id, index=assignment.first_index, step=0, steps=0)

    def _key(self, given: str | None = None) -> str:
        key = given if given is not None else self._surroundings.key(self.name)
        if not key:
            raise KeyRefused(
                f"There is no API key for {self.title}.", f"Enter one: `keys set {self.name}`, or in Settings."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise KeyRefused(f"The API key for {self.title} cannot be one.", f"Enter it again: `keys set {self.name}`.")
        return key

    def _asked(self, coroutine: Any) -> Any:
        """The answer to one short question of ours, outside of any job."""
        from .exchange import asked

        return asked(coroutine)
