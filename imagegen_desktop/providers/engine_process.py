"""EngineProcess: starts the engine, listens to it, notices when it hangs or dies, and starts it again.

One thread owns the child from birth to death: Linux ties "die with your parent" to the thread that forked,
so that thread must live as long as we do.
"""

from __future__ import annotations

import collections
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..domain.engine_status import EngineStatus
from ..domain.errors import BadInput
from ..logs import logger
from ..protocol.framing import FrameError, Stream
from ..protocol.messages import (
    Channel,
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
from .engine_pulse import Pulse

SECRET_VARIABLES = (
    "OPENAI_API_KEY",
    "REPLICATE_API_TOKEN",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "IMAGEGEN_DESKTOP_WRITER_KEY",
    "IMAGEGEN_DESKTOP_KEY_PASSPHRASE",
)
_STDERR_KEPT = 64 * 1024
_POLITE_SECONDS = 2.0
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
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._number = 0
        self._closing = False
        self._owner: threading.Thread | None = None
        self._stderr: collections.deque[bytes] = collections.deque()
        self._births: collections.deque[float] = collections.deque(maxlen=_QUICK_DEATHS)
        self._pulse = Pulse()
        self._refusal: Failed | None = None

    # ---- what others ask ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the child, unless it runs."""
        with self._changed:
            if self._closing or (self._owner is not None and self._owner.is_alive()):
                return
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
        if self._channel is not None:
            self.send(Unload())

    def send(self, command: Command, only: int | None = None) -> None:
        """Sends a command, waiting for the next child when there is none just now; with `only`, to that child or
        to nobody."""
        if only is None:
            only = self._wait_for_child()
        with self._changed:
            channel = self._channel if only == self._number else None
        try:
            if channel is not None:
                channel.send(command)
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
            if self._channel is None:
                listening.events.put(_death(job, self._status.message or "The engine does not start."))
        try:
            yield listening
        finally:
            self._listeners.pop(job, None)

    def _wait_for_child(self) -> int:
        """The number of the child there is or will be; of the last one when there will be none."""
        self.start()
        with self._changed:
            self._changed.wait_for(lambda: self._channel is not None or self._closing or self._gave_up())
            return self._number

    def ask_to_end(self) -> None:
        """Tells the child to end, and starts no other."""
        with self._changed:
            asked, self._closing = self._closing, True
            channel = self._channel
            self._changed.notify_all()
        if channel is not None and not asked:
            try:
                channel.send(Shutdown())
            except (OSError, ValueError):
                pass

    def close(self) -> None:
        """Ends the child: politely, then by terminate, then by kill; waits for that."""
        self.ask_to_end()
        with self._changed:
            child = self._child
        if child is not None:
            _end(child)
        if self._owner is not None:
            self._owner.join(timeout=10)

    def process_id(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._child.pid if self._child is not None else None

    def last_words(self) -> str:
        """The end of what the child wrote on stderr, for a report."""
        return b"".join(self._stderr).decode(errors="replace")

    # ---- the owner ----------------------------------------------------------------------------------------

    def _own(self) -> None:
        while not self._closing and not self._gave_up():
            self._births.append(time.monotonic())
            try:
                child = self._spawn()
            except OSError as error:
                self._say(state="failed", message=f"The engine cannot be started: {error}")
                break
            self._listen_until_death(child)
            self._bury(child)
        with self._changed:
            self._changed.notify_all()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._say(state="starting" if self._status.restarts == 0 else "restarting", message="", model="")
        child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=engine_environment(),
            start_new_session=True,
        )
        assert child.stdin and child.stdout and child.stderr
        self._stderr.clear()
        threading.Thread(target=self._keep_stderr, args=(child,), name="engine-stderr", daemon=True).start()
        threading.Thread(target=self._watch, args=(child,), name="engine-watch", daemon=True).start()
        channel = Channel(Stream(child.stdout, child.stdin))
        self._pulse = Pulse()
        try:
            channel.send(self._start_message)
        except OSError:
            pass
        with self._changed:
            self._child, self._channel, self._number = child, channel, self._number + 1
            if self._closing:  # close() came while there was no child to end
                child.kill()
            self._changed.notify_all()
        return child

    def _listen_until_death(self, child: subprocess.Popen[bytes]) -> None:
        channel = self._channel
        assert channel is not None
        try:
            while (message := channel.receive()) is not None:
                self._pulse.felt(message)
                self._heard(message)
        except (FrameError, OSError, ValueError) as error:
            logger("engine").warning("the engine's stream broke", reason=str(error))
            child.kill()

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

    def _bury(self, child: subprocess.Popen[bytes]) -> None:
        """The child's stream ended: make sure it is dead, then tell whoever waited for it."""
        with self._changed:
            self._channel, self._child = None, None
        try:
            child.wait(timeout=_POLITE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for file in (child.stdin, child.stdout):
            if file:
                try:
                    file.close()
                except OSError:
                    pass
        if self._closing:
            self._say(state="stopped", message="")
            return
        refused = self._refusal.message if self._refusal else ""
        reason = self._pulse.verdict or refused or _exit_reason(child.returncode)
        logger("engine").warning("the engine died", reason=reason, code=child.returncode)
        gave_up = self._gave_up()
        self._say(
            state="failed" if gave_up else "restarting",
            restarts=self._status.restarts + 1,
            message=f"{reason} It does not stay up; restart it by hand." if gave_up and not refused else reason,
        )
        self._tell_everyone_it_died(reason)

    def _tell_everyone_it_died(self, reason: str) -> None:
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

    def _keep_stderr(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stderr
        kept = 0
        with child.stderr as file:
            for line in file:
                self._stderr.append(line[-4096:])
                kept += len(self._stderr[-1])
                while kept > _STDERR_KEPT:
                    kept -= len(self._stderr.popleft())

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        pulse = self._pulse
        while True:
            try:
                child.wait(timeout=1.0)
                return
            except subprocess.TimeoutExpired:
                pass
            pulse = self._pulse
            if self._child is child and pulse.is_hanging():
                logger("engine").error("the engine hangs", reason=pulse.verdict)
                child.terminate()
                try:
                    child.wait(timeout=_POLITE_SECONDS)
                except subprocess.TimeoutExpired:
                    child.kill()

    def _say(self, **changes: object) -> None:
        status = replace(self._status, **changes)  # type: ignore[arg-type]
        if status != self._status:
            with self._changed:
                self._status = status
                self._changed.notify_all()
            self.on_status(status)


def engine_environment() -> dict[str, str]:
    """Our environment without anything the engine must never see."""
    environment = {name: value for name, value in os.environ.items() if name not in SECRET_VARIABLES}
    return environment | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


def _end(child: subprocess.Popen[bytes]) -> None:
    for force in (None, child.terminate, child.kill):
        if force is not None:
            force()
        try:
            child.wait(timeout=_POLITE_SECONDS)
            return
        except subprocess.TimeoutExpired:
            continue


def _death(job: str, reason: str) -> Failed:
    return Failed(job=job, kind="engine_died", message=reason, advice="The job is tried again.")


def _exit_reason(code: int) -> str:
    if code == -9:
        return "The engine was killed, most likely because memory ran out."
    if code < 0:
        return f"The engine crashed (signal {-code})."
    return "The engine ended unexpectedly."
