"""Provider: what every maker of images looks like to the rest of the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..domain.job import Job
from ..domain.model_card import ModelCard
from ..protocol.messages import Cancelled, Decoding, Failed, Image, Loading, Paused, Preview, Started, Step

ProviderEvent = Loading | Started | Step | Preview | Decoding | Image | Cancelled | Paused | Failed


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One job as a provider receives it. `image` and `mask` are raw rows of exactly the request's size."""

    job: Job
    model: ModelCard
    image: bytes = b""
    mask: bytes = b""
    first_index: int = 0
    resume: str = ""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a provider offers; the window greys out the rest and says why."""

    title: str
    local: bool
    tasks: tuple[str, ...]
    seeds: bool = True
    negative_prompt: bool = True
    previews: bool = True
    paid: bool = False


class Provider(Protocol):
    """`run` yields events until every image of the job is made; it ends with the last Image or with one
    Cancelled, Paused or Failed. `cancel` and `pause` may be called from any thread and return at once."""

    name: str

    def capabilities(self) -> Capabilities: ...

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]: ...

    def cancel(self, job: str) -> None: ...

    def pause(self, job: str) -> None: ...

    def close(self) -> None: ...
