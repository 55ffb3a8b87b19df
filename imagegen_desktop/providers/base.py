"""Provider: what every maker of images looks like to the rest of the program."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from ..domain.cloud_model import CloudModel, find_model
from ..domain.job import Job
from ..domain.model_card import ModelCard
from ..protocol.messages import Cancelled, Decoding, Failed, Image, Loading, Paused, Preview, Started, Step


@dataclass(frozen=True, kw_only=True)
class Submitting:
    """A request that may cost money is about to leave. It does so when the provider is asked for its next event:
    by then this was remembered durably, or an error was raised instead."""

    job: str
    index: int
    nonce: str


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The provider took the request and names it; with that name it can be asked for again, after any crash."""

    job: str
    index: int
    nonce: str
    provider_id: str


@dataclass(frozen=True, kw_only=True)
class EncodedPreview:
    """A first look at image `index`, as the provider sent it: a stranger's bytes."""

    job: str
    index: int
    step: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A finished image as the provider sent it: a PNG, JPEG or WebP of a stranger. `cost` in dollars, None when
    the provider does not say."""

    job: str
    index: int
    data: bytes = field(repr=False)
    seconds: float = 0.0
    nonce: str = ""
    cost: float | None = None
    revised_prompt: str = ""
    notes: tuple[str, ...] = ()


CloudEvent = Submitting | Submitted | EncodedPreview | Encoded
ProviderEvent = Loading | Started | Step | Preview | Decoding | Image | Cancelled | Paused | Failed | CloudEvent


#: A job that has fewer steps to go lets the next one begin, so that its engine has it before it asks.
ALMOST_DONE_STEPS = 2


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One job as a provider receives it.

    For the local engine `model` is a card, and `image` and `mask` are raw rows of exactly the request's size;
    `extras`, `conditions` and `references` as a `Generate` has them; `resumes` are the snapshots of half-done images,
    by image.
    For the cloud `model` is None, and they are PNGs: `mask` white where to paint, `cutout` the image itself,
    transparent there. `submitted` names requests that left before, by image: ask for those, send nothing new.
    `notes` say what had to be changed of the request for this model.
    """

    job: Job
    model: ModelCard | None = None
    image: bytes = b""
    mask: bytes = b""
    cutout: bytes = b""
    extras: list[dict[str, Any]] = field(default_factory=list)
    conditions: bytes = b""
    references: bytes = b""
    first_index: int = 0
    resumes: Mapping[int, str] = field(default_factory=dict)
    submitted: Mapping[int, Submitted] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


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
    models: tuple[CloudModel, ...] = ()
    default_model: str = ""
    retired: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    places: int = 1

    def model(self, name: str | None) -> CloudModel:
        """One of `models` by name, the default one for None; raises BadInput naming the possible ones."""
        return find_model(name, self.models, self.default_model, self.retired)


class Provider(Protocol):
    """`run` yields events until every image of the job is made; it ends with the last Image (or Encoded), with one
    Cancelled, Paused or Failed, or by raising a Problem. `cancel` and `pause` may be called from any thread and
    return at once."""

    name: str

    def capabilities(self) -> Capabilities: ...

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]: ...

    def cancel(self, job: str) -> None: ...

    def pause(self, job: str) -> None: ...

    def close(self) -> None: ...


@runtime_checkable
class Placing(Protocol):
    """A provider with several devices, on one of which a job may insist. From `expect` until it is forgotten, a job has
    its share of the room."""

    def devices(self) -> Mapping[str, int]:
        """How many jobs each draws at a time, by their full names."""

    def device_of(self, job: str) -> str:
        """Where a job is; empty where that is not known yet."""

    def busy_devices(self) -> frozenset[str]:
        """Those where no further job can begin."""

    def expect(self, job: Job) -> None: ...

    def forget(self, job: str) -> None: ...


@runtime_checkable
class Recallable(Protocol):
    """A provider that stops what it was asked for earlier, by the names it gave. Takes a few seconds at most."""

    def recall(self, provider_ids: Collection[str]) -> None: ...


@runtime_checkable
class Reachable(Protocol):
    """A provider one can knock at: `check` answers in a sentence or raises the Problem there is. Costs nothing."""

    def check(self, key: str | None = None) -> str: ...
