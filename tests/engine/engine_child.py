"""A real engine process and the pipe to it, for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from imagegen_desktop.domain.request import GenerationRequest, SourceImage
from imagegen_desktop.protocol.framing import Stream
from imagegen_desktop.protocol.messages import (
    Channel,
    Command,
    Event,
    Failed,
    Generate,
    Heartbeat,
    Idle,
    Image,
    Start,
    Started,
    Step,
)

ROOT = Path(__file__).resolve().parents[2]
SIDE = 64
E = TypeVar("E")


class EngineChild:
    """Speaks as the application does: sends commands, collects events."""

    def __init__(self, start: Start, entry: Iterable[str] = ("imagegen_desktop", "--engine")) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *entry], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        assert self.process.stdin
        assert self.process.stdout
        self._files = (self.process.stdin, self.process.stdout)
        self.channel = Channel(Stream(self.process.stdout, self.process.stdin))
        self.channel.send(start)

    def send(self, command: Command) -> None:
        self.channel.send(command)

    def until(self, kind: type[E], seen: list[Any] | None = None) -> E:
        """The next event of that kind; those before it go into `seen`."""
        while (event := self.channel.receive()) is not None:
            if seen is not None:
                seen.append(event)
            if isinstance(event, kind):
                return event
            assert not isinstance(event, Idle | Failed), f"{event} before any {kind.__name__}"
        raise EOFError("the engine is gone")

    def run(self, command: Generate) -> list[Event]:
        """Every event of a command, up to the Idle after it."""
        seen: list[Any] = []
        self.send(command)
        while not seen or not isinstance(seen[-1], Idle):
            self.until(object, seen)
        return [event for event in seen if not isinstance(event, Heartbeat)]

    def image(self, command: Generate) -> Image:
        events = self.run(command)
        for event in events:
            assert not isinstance(event, Failed), event.detail
        return only(events, Image)

    def refusal(self, command: Generate) -> Failed:
        """The answer to a command that cannot be carried out: nothing is drawn before it is said."""
        events = self.run(command)
        assert not any(isinstance(event, Started | Step | Image) for event in events), "it began all the same"
        return only(events, Failed)

    def close(self) -> None:
        for file in self._files:
            file.close()
        self.process.wait(timeout=30)


def only(events: Iterable[Any], kind: type[E]) -> E:
    """The single event of that kind."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, f"{len(found)} events of {kind.__name__}"
    return found[0]


def request(**changes: Any) -> GenerationRequest:
    plain: dict[str, Any] = {
        "prompt": "a red cat",
        "negative_prompt": "blue",
        "model": "tiny",
        "width": SIDE,
        "height": SIDE,
        "steps": 4,
        "guidance": 5.0,
        "sampler": "Model default",
        "seed": 7,
    }
    return GenerationRequest(**plain | changes)


def gradient() -> bytes:
    """RGB rows of a source picture."""
    return bytes(
        (x * 4 % 256, y * 4 % 256, (x + y) * 2 % 256)[channel]
        for y in range(SIDE)
        for x in range(SIDE)
        for channel in range(3)
    )


def left_half() -> bytes:
    """A mask that paints the left half."""
    return bytes(255 if x < SIDE // 2 else 0 for _ in range(SIDE) for x in range(SIDE))


def task_request(task: str, **changes: Any) -> GenerationRequest:
    """A request of that task; `pictures` are the blobs that belong to it."""
    if task == "text":
        return request(**changes)
    source = SourceImage(sha256="0" * 64, width=SIDE, height=SIDE)
    mask = {"mask": source} if task == "inpaint" else {}
    return request(image=source, **{"strength": 0.7} | mask | changes)


def command(wish: GenerationRequest, model: Path, job: str = "job", family: str = "sd1", **changes: Any) -> Generate:
    pictures = {"image": gradient()} if wish.image else {}
    if wish.mask:
        pictures["mask"] = left_half()
    return Generate(
        job=job, request=wish.to_dict(), model_path=str(model), family=family, **{"index": 0} | pictures | changes
    )
