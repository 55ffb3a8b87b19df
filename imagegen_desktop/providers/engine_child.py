"""One life of the engine: a child process, its stream, its last words, and whether it still gets somewhere."""

from __future__ import annotations

import collections
import os
import subprocess
import threading
from collections.abc import Iterator

from ..logs import logger
from ..protocol.framing import FrameError, Stream
from ..protocol.messages import Channel, Command, Message, Start
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


class EngineChild:
    """From its birth, by the thread that makes it, to its burial. Raises OSError when it cannot be started."""

    def __init__(self, command: list[str], start: Start) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=engine_environment(),
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout
        self._channel = Channel(Stream(self._process.stdout, self._process.stdin))
        self._stderr: collections.deque[bytes] = collections.deque()
        self._pulse = Pulse()
        threading.Thread(target=self._keep_stderr, name="engine-stderr", daemon=True).start()
        threading.Thread(target=self._watch, name="engine-watch", daemon=True).start()
        try:
            self._channel.send(start)
        except OSError:
            pass

    @property
    def process_id(self) -> int:
        return self._process.pid

    def send(self, command: Command) -> None:
        """Raises OSError or ValueError when it hears no more."""
        self._channel.send(command)

    def messages(self) -> Iterator[Message]:
        """What it says, to the end of its stream."""
        try:
            while (message := self._channel.receive()) is not None:
                self._pulse.felt(message)
                yield message
        except (FrameError, OSError, ValueError) as error:
            logger("engine").warning("the engine's stream broke", reason=str(error))
            self.kill()

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Waits for its end, then asks for it, then enforces it."""
        for force in (None, self._process.terminate, self._process.kill):
            if force is not None:
                force()
            if self._ended_within(_POLITE_SECONDS):
                return

    def bury(self) -> int:
        """Makes sure that it is dead once its stream ended; its exit code."""
        if not self._ended_within(_POLITE_SECONDS):
            self.kill()
            self._process.wait()
        for file in (self._process.stdin, self._process.stdout):
            if file:
                try:
                    file.close()
                except OSError:
                    pass
        return self._process.returncode

    @property
    def verdict(self) -> str:
        """Why it was ended for getting nowhere; empty when it was not."""
        return self._pulse.verdict

    def last_words(self) -> str:
        """The end of what it wrote on stderr."""
        return b"".join(self._stderr).decode(errors="replace")

    def _ended_within(self, seconds: float) -> bool:
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _keep_stderr(self) -> None:
        assert self._process.stderr
        kept = 0
        with self._process.stderr as file:
            for line in file:
                self._stderr.append(line[-4096:])
                kept += len(self._stderr[-1])
                while kept > _STDERR_KEPT:
                    kept -= len(self._stderr.popleft())

    def _watch(self) -> None:
        while not self._ended_within(1.0):
            if self._pulse.is_hanging():
                logger("engine").error("the engine hangs", reason=self._pulse.verdict)
                self._process.terminate()
                if not self._ended_within(_POLITE_SECONDS):
                    self.kill()


def engine_environment() -> dict[str, str]:
    """Our environment without anything the engine must never see."""
    environment = {name: value for name, value in os.environ.items() if name not in SECRET_VARIABLES}
    return environment | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
