"""One command at a time, whatever happens: listens, queues, performs, and turns every failure into an answer."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ..protocol.framing import FrameError
from ..protocol.messages import (
    Cancel,
    Cancelled,
    Channel,
    Event,
    Generate,
    Heartbeat,
    Load,
    Message,
    Pause,
    Shutdown,
    Start,
    Unload,
    Upscale,
)
from .desk import Desk, Wish
from .process import available_bytes, resident_bytes

if TYPE_CHECKING:
    from .generate import Engine

_BEAT_SECONDS = 1.0
_CONTEXT_LOST = 70


class Worker:
    """Owns the pipe. `serve` runs in the main thread; one thread listens, one beats."""

    def __init__(self, channel: Channel, start: Start) -> None:
        self._channel = channel
        self._start = start
        self._born = time.perf_counter()
        self._arrived = threading.Condition()
        self._waiting: deque[Load | Generate | Upscale | Unload] = deque()
        self._desk = Desk()
        self._ending = False
        self._engine: Engine | None = None

    def serve(self) -> int:
        """Works until told to end; the exit status."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        engine = self._open()
        if engine is None:
            return 1
        self.send(engine.ready(time.perf_counter() - self._born))
        while (command := self._next()) is not None:
            self._perform(engine, command)
            with self._arrived:
                self._desk = Desk()
                drained = not self._waiting
            if drained:
                self.send(engine.idle())
        engine.close()
        return 0

    def send(self, *events: Event) -> None:
        """Without anyone to hear us there is no reason to go on."""
        try:
            self._channel.send(*events)
        except (OSError, ValueError):
            os._exit(0)

    def _open(self) -> Engine | None:
        try:
            from .generate import Engine

            self._engine = Engine(self._start, self.send)
        except Exception as error:  # noqa: BLE001  a border: whatever a library raises must become an answer
            self._answer("", error)
        return self._engine

    def _next(self) -> Load | Generate | Upscale | Unload | None:
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._ending)
            if self._ending:
                return None
            command = self._waiting.popleft()
            if isinstance(command, Generate | Upscale):
                self._desk = Desk(command.job, command.index)
            return command

    def _perform(self, engine: Engine, command: Load | Generate | Upscale | Unload) -> None:
        try:
            if isinstance(command, Generate):
                engine.generate(command, self._desk)
            elif isinstance(command, Upscale):
                engine.upscale(command, self._desk)
            elif isinstance(command, Load):
                engine.load(command)
            else:
                engine.unload()
        except Exception as error:  # noqa: BLE001  a border: whatever a library raises must become an answer
            self._answer(getattr(command, "job", ""), error)

    def _answer(self, job: str, error: Exception) -> None:
        from .failures import context_is_lost, failed

        self.send(failed(job, error))
        if context_is_lost(error):
            os._exit(_CONTEXT_LOST)

    # ---- the listening thread -----------------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            while (message := self._channel.receive()) is not None:
                self._hear(message)
        except (FrameError, OSError, ValueError):
            os._exit(1)
        os._exit(0)

    def _hear(self, message: Message) -> None:
        with self._arrived:
            if isinstance(message, Load | Generate | Upscale | Unload):
                self._waiting.append(message)
            elif isinstance(message, Cancel | Pause):
                self._stop(message)
            elif isinstance(message, Shutdown):
                self._end()
            self._arrived.notify_all()

    def _stop(self, message: Cancel | Pause) -> None:
        """The running image leaves at its next boundary; one that waits never begins."""
        kinds = Generate | Upscale
        mine = [command for command in self._waiting if isinstance(command, kinds) and command.job == message.job]
        for command in mine:
            self._waiting.remove(command)
        if self._desk.job == message.job:
            self._desk.ask(Wish.CANCEL if isinstance(message, Cancel) else Wish.PAUSE)
        elif mine:
            self.send(Cancelled(job=message.job, index=mine[0].index))

    def _end(self) -> None:
        self._ending = True
        self._waiting.clear()
        self._desk.ask(Wish.PAUSE)
        if self._engine is None:
            os._exit(0)

    # ---- the beating thread -------------------------------------------------------------------------------

    def _beat(self) -> None:
        while True:
            desk, engine = self._desk, self._engine
            used, free = engine.memory() if engine else (resident_bytes(), available_bytes())
            self.send(Heartbeat(job=desk.job, step=desk.step, memory_used=used, memory_free=free))
            time.sleep(_BEAT_SECONDS)
