"""Exchange: lets a plain thread drive coroutines one by one, and any other thread end the one that waits, at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from .leaving import CLOSE, Left

T = TypeVar("T")


class Exchange:
    """One event loop of our own for one job. Everything but `leave` and `leave_soon` belongs to the driving thread."""

    def __init__(self) -> None:
        self.reason = ""
        self.pausing = False
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[Any] | None = None
        self._lock = threading.Lock()

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine to its end; raises Left when somebody wished to leave."""
        if self.reason:
            coroutine.close()
            raise Left(self.reason)
        task: asyncio.Task[T] = self._loop.create_task(coroutine)
        self._task = task
        try:
            return self._loop.run_until_complete(task)
        except asyncio.CancelledError:
            raise Left(self.reason or CLOSE) from None
        finally:
            self._task = None

    def iterate(self, events: AsyncGenerator[T, None]) -> Iterator[T]:
        """The events one by one; between two of them nothing of the generator runs. It learns of a wish to leave
        as a CancelledError, wherever it is."""
        nothing = object()

        async def following() -> Any:
            return await anext(events, nothing)

        while (event := self.wait(following())) is not nothing:
            yield event
            if self.reason:
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    self._loop.run_until_complete(events.athrow(asyncio.CancelledError()))
                raise Left(self.reason)

    def leave(self, reason: str) -> None:
        """Ends what is waited for at once, and everything after it. From any thread."""
        with self._lock:
            if self._loop.is_closed():
                return
            self.reason = self.reason or reason
            self._loop.call_soon_threadsafe(self._end_task)

    def leave_soon(self, reason: str, seconds: float) -> None:
        """Leaves after the image under way, or after `seconds` whatever happens. From any thread."""
        with self._lock:
            if self._loop.is_closed():
                return
            self.pausing = True
            self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self.leave, reason)

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        with self._lock:
            self._loop.close()

    def _end_task(self) -> None:
        if self._task is not None:
            self._task.cancel()


def asked(coroutine: Coroutine[Any, Any, T]) -> T:
    """The answer to one short question that nobody leaves."""
    exchange = Exchange()
    try:
        return exchange.wait(coroutine)
    finally:
        exchange.close()
