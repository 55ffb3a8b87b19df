"""EngineProcess: starts the engine, listens to it, notices when it hangs or dies, and starts it again.

One thread owns the child from birth to death: Linux ties "die with your parent" to the thread that forked,
so that thread must live as long as we do.
"""

from __future__ import annotations

import collections
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..domain.engine_status import EngineStatus
from ..domain.errors import BadInput
from ..logs import logger
from ..protocol.messages import (
    Command,
    Failed,
    Heartbeat,
    Idle,
    Message,
    Ready,
    Shutdown,
    Start,
    Unload,
)
from .engine_child import EngineChild

_QUICK_DEATHS = 5
_QUICK_DEATH_SECONDS = 60.0


def engine_command() -> list[str]:
    """How the child is started: this program again, as the engine."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--engine"]
    return [sys.executable, "-m", "imagegen_desktop", "--engine"]


class Listening:
    """The events of one job, each call waits for the next; `child` is the number of the engine they come from."""

    def __init__(self) -> None:
        self.child = 0
        self.events: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def __call__(self) -> Message:
        return self.events.get()


class EngineProcess:
    """A supervised engine. Every method may be called from any thread and none waits for the engine."""

    def __init__(self, start: Start, command: list[str] | None = None, number: int = 0) -> None:
        self.on_status: Callable[[EngineStatus], None] = lambda status: None
        self.last_idle = Idle(denoiser_calls=0, text_encodings=0, decodings=0)
        self._start_message = start
        self._command = command or engine_command()
        self._changed = threading.Condition()
        self._status = EngineStatus(number=number)
        self._listeners: dict[str, queue.SimpleQueue[Message]] = {}
        self._child: EngineChild | None = None
        self._latest: EngineChild | None = None
        self._number = 0
        self._closing = False
        self._owner: threading.Thread | None = None
        #: Whether there is or will be a child without another start.
        self._owned = False
        self._births: collections.deque[float] = collections.deque(maxlen=_QUICK_DEATHS)
        self._refusal: Failed | None = None

    # ---- what others ask ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the child, unless it runs."""
        with self._changed:
            if self._closing or self._owned or self._gave_up():
                return
            self._owned = True
            self._status = replace(self._status, state="starting")
            self._owner = threading.Thread(target=self._own, name="engine-owner", daemon=True)
            self._owner.start()

    def status(self) -> EngineStatus:
        return self._status

    def wait_until_ready(self, timeout: float) -> EngineStatus:
        """Waits until the child can work, or never will; its status then."""
        with self._changed:
            self._changed.wait_for(lambda: self._status.state in ("ready", "busy", "failed", "stopped"), timeout)
        return self._status

    def restart(self) -> None:
        """Ends the child at once; its owner starts another."""
        self._births.clear()
        self._refusal = None
        self.start()
        child = self._child
        if child is not None:
            child.kill()

    def unload(self) -> None:
        """Asks the child to give its model's memory back."""
        if self._child is not None:
            self.send(Unload())

    def send(self, command: Command, only: int | None = None) -> None:
        """Sends a command, waiting for the next child when there is none just now; with `only`, to that child or
        to nobody."""
        if only is None:
            only = self._wait_for_child()
        with self._changed:
            child = self._child if only == self._number else None
        try:
            if child is not None:
                child.send(command)
        except (OSError, ValueError):
            logger("engine").info("command lost", command=type(command).__name__)

    def tell(self, command: Command) -> None:
        """Sends a command to the present child, if there is one; waits for nothing."""
        self.send(command, only=self._number)

    @contextmanager
    def listen(self, job: str) -> Iterator[Listening]:
        """While open, the events of `job` arrive at the answer, first of all those of one child: what is sent only
        to that child is either heard of, or its death is."""
        self._wait_for_child()
        listening = Listening()
        with self._changed:
            self._listeners[job] = listening.events
            listening.child = self._number
            if self._child is None:
                listening.events.put(_death(job, self._status.message or "The engine does not start."))
        try:
            yield listening
        finally:
            self._listeners.pop(job, None)

    def _wait_for_child(self) -> int:
        """The number of the child there is or will be; of the last one when there will be none."""
        self.start()
        with self._changed:
            self._changed.wait_for(lambda: self._child is not None or self._closing or not self._owned)
            return self._number

    def ask_to_end(self) -> None:
        """Tells the child to end, and starts no other."""
        with self._changed:
            asked, self._closing = self._closing, True
            child = self._child
            self._changed.notify_all()
        if child is not None and not asked:
            try:
                child.send(Shutdown())
            except (OSError, ValueError):
                pass

    def close(self) -> None:
        """Ends the child: politely, then by terminate, then by kill; waits for that."""
        self.ask_to_end()
        with self._changed:
            child = self._child
        if child is not None:
            child.end()
        if self._owner is not None:
            self._owner.join(timeout=10)

    def process_id(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._child.process_id if self._child is not None else None

    def last_words(self) -> str:
        """The end of what the present or last child wrote on stderr, for a report."""
        return self._latest.last_words() if self._latest is not None else ""

    # ---- the owner ----------------------------------------------------------------------------------------

    def _own(self) -> None:
        while True:
            with self._changed:  # whoever starts us now knows whether we go on
                self._owned = not (self._closing or self._gave_up())
                self._changed.notify_all()
            if not self._owned:
                return
            self._births.append(time.monotonic())
            self._say(state="starting" if self._status.restarts == 0 else "restarting", message="", model="")
            try:
                child = EngineChild(self._command, self._start_message)
            except OSError as error:
                self._say(state="failed", message=f"The engine cannot be started: {error}")
                with self._changed:
                    self._owned = False
                    self._changed.notify_all()
                return
            self._welcome(child)
            for message in child.messages():
                self._heard(message)
            self._bury(child)

    def _welcome(self, child: EngineChild) -> None:
        with self._changed:
            self._child = self._latest = child
            self._number += 1
            if self._closing:  # close() came while there was no child to end
                child.kill()
            self._changed.notify_all()

    def _heard(self, message: Message) -> None:
        if isinstance(message, Ready):
            self._say(
                state="ready",
                device=message.device,
                device_name=message.device_name,
                memory_total=message.memory_total,
                cards=tuple(message.cards),
                message="",
            )
        elif isinstance(message, Idle):
            self.last_idle = message
            self._say(state="ready", model=message.model, message="")
        elif isinstance(message, Heartbeat):
            self._say(memory_used=message.memory_used)
        elif isinstance(message, Failed) and self._status.state in ("starting", "restarting"):
            self._refusal = message  # it says why it cannot start, and ends
        else:
            if self._status.state in ("ready", "busy"):
                self._say(state="busy")
            events = self._listeners.get(getattr(message, "job", ""))
            if events is not None:
                events.put(message)

    def _bury(self, child: EngineChild) -> None:
        """The child's stream ended: make sure it is dead, then tell whoever waited for it."""
        with self._changed:
            self._child = None
        code = child.bury()
        if self._closing:
            self._say(state="stopped", message="")
            return
        refused = self._refusal.message if self._refusal else ""
        reason = child.verdict or refused or _exit_reason(code)
        logger("engine").warning("the engine died", reason=reason, code=code)
        gave_up = self._gave_up()
        self._say(
            state="failed" if gave_up else "restarting",
            restarts=self._status.restarts + 1,
            message=f"{reason} It does not stay up; restart it by hand." if gave_up and not refused else reason,
        )
        for job, events in list(self._listeners.items()):
            events.put(_death(job, reason))

    def _gave_up(self) -> bool:
        """A device that is not there, or five deaths within a minute: another start will not mend that."""
        if self._refusal is not None and self._refusal.kind == BadInput.kind:
            return self._child is None
        return (
            len(self._births) == _QUICK_DEATHS
            and self._child is None
            and time.monotonic() - self._births[0] < _QUICK_DEATH_SECONDS
        )

    def _say(self, **changes: object) -> None:
        status = replace(self._status, **changes)  # type: ignore[arg-type]
        if status != self._status:
            with self._changed:
                self._status = status
                self._changed.notify_all()
            self.on_status(status)


def _death(job: str, reason: str) -> Failed:
    return Failed(job=job, kind="engine_died", message=reason, advice="The job is tried again.")


def _exit_reason(code: int) -> str:
    if code == -9:
        return "The engine was killed, most likely because memory ran out."
    if code < 0:
        return f"The engine crashed (signal {-code})."
    return "The engine ended unexpectedly."
