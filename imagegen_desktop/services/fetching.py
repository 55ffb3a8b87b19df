"""Fetching: the bytes of one model, several files at a time, resumed wherever they were cut, each file checked."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from ..domain.errors import BadAnswer, Problem, RateLimited, Unreachable
from ..domain.hub_model import HubFile, HubModel
from ..providers.exchange import Exchange
from ..providers.hub import Body, Hub
from ..storage.staging import Part, Staging

FILES_AT_ONCE = 4

#: How often in a row nothing at all may come, and how often a file may arrive damaged.
_FRUITLESS, _DAMAGED = 6, 3
_LONGEST_PAUSE, _LONGEST_WAIT = 30.0, 300.0
_SPEED_SECONDS = 5.0


class Progress:
    """How far it is: bytes received, speed over the last seconds, what it waits for."""

    def __init__(self, received: int) -> None:
        self.received = received
        self.note = ""
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), received)])

    def add(self, count: int) -> None:
        self.received += count
        now = time.monotonic()
        if now - self._marks[-1][0] >= 0.2:
            self._marks.append((now, self.received))
            while now - self._marks[0][0] > _SPEED_SECONDS and len(self._marks) > 2:
                self._marks.popleft()

    @property
    def speed(self) -> float:
        """Bytes a second."""
        (began, before), now = self._marks[0], time.monotonic()
        return max(0.0, (self.received - before) / (now - began)) if now - began > 0.3 else 0.0


class Fetching:
    """`etags` remembers which version of a file its first bytes belong to; `learned` is told when that changes,
    `tell` when there is progress."""

    def __init__(
        self,
        hub: Hub,
        model: HubModel,
        staging: Staging,
        etags: dict[str, str],
        learned: Callable[[], object],
        tell: Callable[[], object],
        pause_seconds: float = 0.5,
    ) -> None:
        self._hub = hub
        self._model = model
        self._staging = staging
        self._etags = etags
        self._learned = learned
        self._tell = tell
        self._pause = pause_seconds
        self._exchange = Exchange()
        self._disk: ThreadPoolExecutor | None = None
        self.progress = Progress(0)

    def run(self, files: Iterable[HubFile]) -> None:
        """Fetches what is not there yet; returns when every file is whole, checked and durable. Raises a Problem,
        or Left after `leave`; what was received is kept."""
        everything = list(files)
        self.progress = Progress(sum(self._staging.received(file.path, file.size) for file in everything))
        wanted = [file for file in everything if not self._staging.has(file.path, file.size)]
        with ThreadPoolExecutor(FILES_AT_ONCE, "download-disk") as self._disk:
            try:
                self._exchange.wait(self._all(deque(sorted(wanted, key=lambda file: -file.size))))
            finally:
                self._exchange.close()

    def leave(self, reason: str) -> None:
        """Ends it at once, from any thread."""
        self._exchange.leave(reason)

    async def _all(self, waiting: deque[HubFile]) -> None:
        async with self._hub.connection() as http:

            async def work() -> None:
                while waiting:
                    await self._one(http, waiting.popleft())

            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(FILES_AT_ONCE):
                        group.create_task(work())
            except BaseExceptionGroup as trouble:
                raise _first(trouble) from None

    async def _one(self, http: Any, file: HubFile) -> None:
        part = Part(self._staging.path(file.path), file.size, file.sha256, file.blob)
        try:
            await self._on_disk(part.open)
            for _ in range(_DAMAGED):
                await self._receive(http, file, part)
                if part.is_right():
                    await self._on_disk(part.finish)
                    return
                self.progress.add(-part.received)
                await self._on_disk(lambda: part.cut(0))
        finally:
            part.close()
        raise BadAnswer(
            f"{file.path} of {self._model.id} arrives damaged again and again; its checksum is not the hub's.",
            "Something between here and the hub changes bytes, or this disk fails. Try another network.",
        )

    async def _receive(self, http: Any, file: HubFile, part: Part) -> None:
        """Until the part is as long as the file, whatever cuts it short meanwhile."""
        fruitless = 0
        while part.received < file.size:
            before = part.received
            # An ending that is refused twice is not asked for again: what comes from 0 is compared with what is here.
            start = before if fruitless < 2 else 0
            try:
                async with self._hub.open(http, self._model, file, start, self._etags.get(file.path, "")) as body:
                    await self._take(body, file, part)
            except (Unreachable, RateLimited) as problem:
                fruitless = 1 if part.received != before else fruitless + 1
                if fruitless > _FRUITLESS or problem.retry_after > _LONGEST_WAIT:
                    raise
                await self._wait(problem, fruitless)
            else:
                fruitless = 0 if part.received != before else fruitless + 1
                if fruitless > _FRUITLESS:
                    raise Unreachable(f"{file.path} of {self._model.id} does not arrive.", "Try again later.")

    async def _take(self, body: Body, file: HubFile, part: Part) -> None:
        position = body.start
        if position and body.etag != self._etags.get(file.path, body.etag):
            await self._shorten(part, 0)  # a server that answers with the end of another version
            self._etags.pop(file.path, None)
            return
        if body.etag and self._etags.get(file.path) != body.etag:
            self._etags[file.path] = body.etag
            await self._on_disk(self._learned)
        async for chunk in body.chunks:
            self.progress.note = ""
            ours = chunk[: max(0, part.received - position)]
            if ours and not part.matches(position, ours):
                await self._shorten(part, position)
                ours = b""
            position += len(chunk)
            rest = chunk[len(ours) :]
            if part.received + len(rest) > file.size:
                raise BadAnswer(f"{file.path} of {self._model.id} is longer than the hub says.", "Try again later.")
            part.append(rest)
            self.progress.add(len(rest))
            self._tell()

    async def _shorten(self, part: Part, length: int) -> None:
        self.progress.add(length - part.received)
        await self._on_disk(lambda: part.cut(length))

    async def _wait(self, problem: Unreachable | RateLimited, fruitless: int) -> None:
        self.progress.note = problem.message
        self._tell()
        pause = min(_LONGEST_PAUSE, self._pause * 2 ** (fruitless - 1)) * random.uniform(0.5, 1.0)
        await asyncio.sleep(max(problem.retry_after, pause))

    async def _on_disk(self, call: Callable[[], object]) -> None:
        """What may take its time on a slow disk, without the other files waiting for it. Left in the middle of it,
        it is done first: a file must not be closed while a thread is at it."""
        assert self._disk is not None
        work = self._disk.submit(call)
        try:
            await asyncio.wrap_future(work)
        finally:
            while not work.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.gather(asyncio.wrap_future(work), return_exceptions=True)


def _first(trouble: BaseExceptionGroup[BaseException]) -> BaseException:
    """What happened first; a fault of ours before what the world did."""
    found = [_first(one) if isinstance(one, BaseExceptionGroup) else one for one in trouble.exceptions]
    return next((one for one in found if not isinstance(one, Problem)), found[0])
