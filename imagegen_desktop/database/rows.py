"""Between rows and domain values: how jobs and images are written into columns and read back."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from ..domain.errors import BadInput
from ..domain.image import GeneratedImage
from ..domain.job import Job, JobError, JobState
from ..domain.request import GenerationRequest
from ..domain.variations import OWN, copied, shared
from .failures import UnreadableRow

#: What a request says that does not decide the pixels.
NOT_PIXELS = frozenset({"priority", "use_cache", "until", "version"})

Value = TypeVar("Value")

_EMPTY = GenerationRequest()

_TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*"'
#: How every request of this version begins: with what is its own.
_VARIATION = re.compile(rf'({{"prompt":{_TEXT},"negative_prompt":{_TEXT},"seed":(?:\d+|null)),')

#: The fields the first version's keys were made of; later ones count where they say something, so that the keys of
#: pictures that were drawn before them stay what they are.
_FIRST = frozenset(
    [
        "prompt",
        "negative_prompt",
        "style",
        "style_prompt",
        "style_negative",
        "provider",
        "model",
        "width",
        "height",
        "steps",
        "guidance",
        "sampler",
        "seed",
        "count",
        "image",
        "strength",
        "mask",
        "loras",
        "quality",
        "background",
        "device",
        "branch",
    ]
)

# Dataclasses without slots: `vars` is `to_dict` without the copying, which counts for 10 000 jobs at once.
_encode = json.JSONEncoder(default=vars, separators=(",", ":")).encode
_encode_sorted = json.JSONEncoder(default=vars, separators=(",", ":"), sort_keys=True).encode


def request_to_json(request: GenerationRequest) -> str:
    """The request as `to_dict` has it, in JSON."""
    return next(requests_to_json([request]))


def requests_to_json(requests: Iterable[GenerationRequest]) -> Iterator[str]:
    """Each as `to_dict` has it, in JSON; what one shares with the one before is written once."""
    before: dict[str, Any] = {}
    for request in requests:
        rest = shared(request)
        if rest != before:
            before, others = rest, _encode({name: value for name, value in rest.items() if name not in OWN})[1:]
        words = f'"prompt":{_encode(request.prompt)},"negative_prompt":{_encode(request.negative_prompt)}'
        seed = "null" if request.seed is None else request.seed
        yield f'{{{words},"seed":{seed},{others}'


@functools.lru_cache(maxsize=12_000)
def request_from_json(text: str) -> GenerationRequest:
    """The inverse; what was written was checked before and is not checked again.

    Remembered, because a queue of thousands is read again with every change of one of its jobs.
    """
    try:
        variation = _VARIATION.match(text)
        if variation is None:
            return GenerationRequest.from_dict(json.loads(text), check=False)
        return copied(_what_variations_share(text[variation.end() :]), json.loads(variation[1] + "}"))
    except (BadInput, TypeError, ValueError, KeyError, AttributeError) as error:
        raise UnreadableRow("a request") from error


@functools.lru_cache(maxsize=256)
def _what_variations_share(others: str) -> GenerationRequest:
    """The request that `others` ends, as `requests_to_json` writes it: what thousands share is read once."""
    return GenerationRequest.from_dict(json.loads("{" + others), check=False)


def request_key(request: GenerationRequest) -> bytes:
    """The SHA-256 of everything that decides the pixels: equal requests have equal keys."""
    values = {
        name: value
        for name, value in vars(request).items()
        if name in _FIRST or (name not in NOT_PIXELS and value != getattr(_EMPTY, name))
    }
    for name in ("image", "mask"):
        if values[name] is not None:
            values[name] = {key: value for key, value in vars(values[name]).items() if key != "origin"}
    return hashlib.sha256(_encode_sorted(values).encode()).digest()


def storable(text: str | None) -> str:
    """Text SQLite can keep: lone surrogates become question marks, None becomes nothing."""
    return (text or "").encode("utf-8", "replace").decode()


def job_rows(
    jobs: Sequence[Job], end: float = 0.0, lease_until: float = 0.0, lease_seconds: float = 0.0
) -> Iterator[tuple[Any, ...]]:
    """The columns of `JobRow` in their order, for each: jobs without a position come after `end`, one after the other;
    only a job with an owner has a lease."""
    requests = requests_to_json(job.request for job in jobs)
    for number, (job, request) in enumerate(zip(jobs, requests, strict=True), 1):
        lease = (lease_until, lease_seconds) if job.owner else (0.0, 0.0)
        yield (
            job.id, job.state.value, request, storable(job.request.provider), job.priority,
            job.position or end + number, job.step, job.steps, job.image_index, job.images_done,
            job.attempts, job.owner, *lease, job.created, job.started, job.finished, error_to_json(job.error),
        )  # fmt: skip


def error_to_json(error: JobError | None) -> str:
    return _encode(vars(error)) if error else ""


def _of_ours(read: Callable[[Sequence[Any]], Value]) -> Callable[[Sequence[Any]], Value]:
    """Whatever is wrong with a row is one kind of error."""

    @functools.wraps(read)
    def read_row(row: Sequence[Any]) -> Value:
        try:
            return read(row)
        except (TypeError, ValueError, AttributeError) as error:
            raise UnreadableRow(read.__name__) from error

    return read_row


@_of_ours
def job_from_row(row: Sequence[Any]) -> Job:
    """A job from the columns of `JobRow` in their order; raises UnreadableRow."""
    (job_id, state, request, _, priority, position, step, steps, image_index, images_done, attempts, owner, _, _) = row[
        :14
    ]
    created, started, finished, error = row[14:]
    return Job(
        id=job_id, state=JobState(state), request=request_from_json(request), priority=priority, position=position,
        step=step, steps=steps, image_index=image_index, images_done=images_done, attempts=attempts, owner=owner,
        created=created, started=started, finished=finished, error=JobError(**json.loads(error)) if error else None,
    )  # fmt: skip


def image_values(image: GeneratedImage) -> dict[str, Any]:
    """An image's columns by name, without its number."""
    request = image.request
    values = {name: value for name, value in vars(image).items() if name not in ("index", "number")}
    return values | {
        "idx": image.index,
        "request": request_to_json(request),
        "request_key": request_key(request),
        "prompt": storable("\n".join((request.prompt, *request.prompts))),
        "negative_prompt": storable("\n".join((request.negative_prompt, *request.negative_prompts))),
        "style": storable(request.style),
        "model": storable(request.model),
        "provider": storable(request.provider),
        "task": request.task,
        "tags": "\n".join(map(storable, image.tags)),
        "parents": "\n".join(map(storable, image.parents)),
        "missing": int(image.missing),
    }


@_of_ours
def image_from_row(row: Sequence[Any]) -> GeneratedImage:
    """An image from the columns of `ImageRow` in their order; raises UnreadableRow."""
    number, image_id, job, index, path, created, width, height, size, file_sha256, pixels_sha256, request = row[:12]
    model_hash, seconds, cost, resumed_at, rating, tags, parents, missing, deleted = row[19:]
    return GeneratedImage(
        id=image_id, job=job, index=index, path=path, created=created, width=width, height=height, file_size=size,
        file_sha256=file_sha256, pixels_sha256=pixels_sha256, request=request_from_json(request),
        model_hash=model_hash, seconds=seconds, cost=cost, resumed_at=resumed_at, rating=rating,
        tags=tuple(tags.split("\n")) if tags else (), parents=tuple(parents.split("\n")) if parents else (),
        missing=bool(missing), deleted=deleted, number=number,
    )  # fmt: skip
