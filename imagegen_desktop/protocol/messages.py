"""Commands to the engine and events from it: frozen values, versioned, JSON-able but for their blobs.

Pixels travel as raw RGB rows (`width * height * 3` bytes), masks as one byte a pixel (255 = paint here).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from ..domain.errors import Problem, problem_from_dict
from ..domain.request import GenerationRequest
from .framing import FrameError, Stream

VERSION = 1


# ---- commands ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Start:
    """First on the wire. `device` "auto" takes CUDA where there is one; `threads` 0 leaves torch's choice.
    `memory` is how models share a card: "auto", or a way the engine knows."""

    version: int = VERSION
    device: str = "auto"
    threads: int = 0
    snapshots: str = ""
    preview_every: int = 1
    memory: str = "auto"


@dataclass(frozen=True, kw_only=True)
class Load:
    """Load a model now, so that the first job on it starts at once. `variants` are those of its card."""

    path: str
    family: str
    kit: str = ""
    variants: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Make image `index` of a job. `request` is of that image alone, and completed (no None but device). `image`/`mask`
    already have the request's size. `resume` is a snapshot file to continue from, empty to begin. `extras` say where
    what the request names beside its model lies: kind, name, path and format of each. `conditions` are the pictures of
    its controls, RGB rows of the request's size, one after the other; `references` those of its image prompts, each a
    square of REFERENCE_SIDE."""

    job: str
    index: int
    request: dict[str, Any]
    model_path: str
    family: str
    kit: str = ""
    variants: list[str] = field(default_factory=list)
    resume: str = ""
    snapshot: str = ""
    snapshot_seconds: float = 0.0
    extras: list[dict[str, Any]] = field(default_factory=list)
    image: bytes = b""
    mask: bytes = b""
    conditions: bytes = b""
    references: bytes = b""

    @property
    def wish(self) -> GenerationRequest:
        return GenerationRequest.from_dict(self.request)


@dataclass(frozen=True, kw_only=True)
class Upscale:
    """Make a picture larger. `image` are its RGB rows; `upscaler` is a network's file, empty for Lanczos; `resume`,
    `snapshot` and `snapshot_seconds` as in Generate."""

    job: str
    width: int
    height: int
    target_width: int
    target_height: int
    seed: int
    upscaler: str = ""
    device: str = ""
    resume: str = ""
    snapshot: str = ""
    snapshot_seconds: float = 0.0
    index: int = 0
    image: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Leave the job within the step it is in (or never begin it); nothing is decoded."""

    job: str


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Leave the job at the next step boundary with a snapshot."""

    job: str


@dataclass(frozen=True, kw_only=True)
class Unload:
    """Give the loaded model's memory back."""


@dataclass(frozen=True, kw_only=True)
class Shutdown:
    """End politely after the step in progress."""


Command = Start | Load | Generate | Upscale | Cancel | Pause | Unload | Shutdown


# ---- events -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The engine has imported its libraries and waits for commands. Memory in bytes. `cards` are the names of this
    machine's GPUs, in the order of their numbers."""

    version: int
    pid: int
    device: str
    device_name: str
    memory_total: int
    torch: str
    diffusers: str
    seconds: float
    cards: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """Sent about once a second. `job` is empty when idle; `memory_used` is this process's, in bytes."""

    job: str = ""
    step: int = 0
    memory_used: int = 0
    memory_free: int = 0


@dataclass(frozen=True, kw_only=True)
class Loading:
    """A phase before the first step: "loading model", "encoding prompt", "encoding image"."""

    job: str
    phase: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, kw_only=True)
class Started:
    """Image `index` begins; the scheduler will run `steps` iterations, the next of which is `step` + 1."""

    job: str
    index: int
    steps: int
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """Iteration `step` (from 1) of `steps` is done and took `seconds`."""

    job: str
    index: int
    step: int
    steps: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A small RGB look at the latents after `step`."""

    job: str
    index: int
    step: int
    width: int
    height: int
    pixels: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """All steps are done; the picture is being decoded."""

    job: str
    index: int


@dataclass(frozen=True, kw_only=True)
class Image:
    """A finished image as RGB rows. `hashes` tell LoRAs and the like ("lora:name") as other programs know them."""

    job: str
    index: int
    seed: int
    width: int
    height: int
    seconds: float
    model_hash: str = ""
    resumed_at: int | None = None
    notes: list[str] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    pixels: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    job: str
    index: int = 0
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class Paused:
    job: str
    index: int
    step: int
    steps: int
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """`detail` is a traceback for the log, never for the artist."""

    job: str
    kind: str
    message: str
    advice: str = ""
    detail: str = ""

    @property
    def problem(self) -> Problem:
        return problem_from_dict({"kind": self.kind, "message": self.message, "advice": self.advice})


@dataclass(frozen=True, kw_only=True)
class Idle:
    """Nothing left to do. The counts are since the start: what the engine ran, not what was asked for."""

    denoiser_calls: int
    text_encodings: int
    decodings: int
    model: str = ""


Event = Ready | Heartbeat | Loading | Started | Step | Preview | Decoding | Image | Cancelled | Paused | Failed | Idle
Message = Command | Event

_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Start,
        Load,
        Generate,
        Upscale,
        Cancel,
        Pause,
        Unload,
        Shutdown,
        Ready,
        Heartbeat,
        Loading,
        Started,
        Step,
        Preview,
        Decoding,
        Image,
        Cancelled,
        Paused,
        Failed,
        Idle,
    )
}
_BLOBS = {
    Upscale: ("image",),
    Generate: ("image", "mask", "conditions", "references"),
    Preview: ("pixels",),
    Image: ("pixels",),
}


_FIELDS = {name: frozenset(item.name for item in fields(kind)) for name, kind in _TYPES.items()}


class Tell(Protocol):
    """Takes what an engine has to say; several events arrive together."""

    def __call__(self, *events: Event) -> None: ...


class Channel:
    """Messages over a Stream. `send` from any thread; `receive` from one."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._received: deque[Message] = deque()

    def send(self, *messages: Message) -> None:
        """Several travel in one frame, since waking the other end costs more than a message."""
        blobs = [getattr(message, name) for message in messages for name in _BLOBS.get(type(message), ())]
        self._stream.send({"messages": [_head(message) for message in messages]}, blobs)

    def receive(self) -> Message | None:
        """The next message, None at the end of the stream; raises FrameError for anything unknown."""
        if not self._received:
            frame = self._stream.receive()
            if frame is None:
                return None
            self._received.extend(_messages(*frame))
        return self._received.popleft()

    def close(self) -> None:
        self._stream.close()


def _head(message: Message) -> dict[str, Any]:
    blobs = _BLOBS.get(type(message), ())
    return {"type": type(message).__name__} | {
        name: value for name, value in vars(message).items() if name not in blobs
    }


def _messages(head: dict[str, Any], blobs: tuple[bytes, ...]) -> list[Message]:
    heads = head.get("messages")
    if not isinstance(heads, list) or not heads or not all(isinstance(one, dict) for one in heads):
        raise FrameError("no messages")
    rest = iter(blobs)
    messages = [_message(one, rest) for one in heads]
    if any(True for _ in rest):
        raise FrameError("more blobs than messages")
    return messages


def _message(head: dict[str, Any], blobs: Iterator[bytes]) -> Message:
    name = str(head.pop("type", ""))
    kind = _TYPES.get(name)
    if kind is None:
        raise FrameError("unknown message")
    if not head.keys() <= _FIELDS[name]:
        raise FrameError(f"{name} with unknown fields")
    try:
        message: Message = kind(**head, **{blob: next(blobs) for blob in _BLOBS.get(kind, ())})
    except (StopIteration, TypeError) as error:
        raise FrameError(f"{name} lacks a field") from error
    return message
