"""Replicate: a prediction is created once, named at once, and asked for until it is done, also after a restart."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import time
from collections.abc import AsyncGenerator, Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..domain.errors import ProviderProblem, Refused
from ..domain.families import IMAGE, INPAINT, TEXT
from ..domain.prices import PER_IMAGE
from ..protocol.messages import Loading, Started, Step
from .base import Assignment, Capabilities, Encoded, ProviderEvent, Submitted, Submitting
from .cloud import PLACES, CloudProvider
from .endpoints import checked_endpoint, is_loopback
from .leaving import CANCEL
from .replicate_inputs import inputs_of, schema_of
from .replicate_models import DEFAULT_MODEL, FALLBACK_SCHEMAS, MODELS, Schema

if TYPE_CHECKING:
    from .exchange import Exchange
    from .replicate_api import Api

ENDPOINT = "https://api.replicate.com"
RESULT_HOSTS = ("replicate.delivery", "replicate.com")
DATA_URI_BYTES = 256 * 1024

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 1.5
_LAST_WORD_SECONDS = 5.0
_PROGRESS = re.compile(r"(\d+)%\|[^|\n]*\|\s*(\d+)/(\d+)")


class ReplicateProvider(CloudProvider):
    """Models by `owner/name`; their inputs are read from Replicate itself, else from our own table."""

    name = "replicate"
    title = "Replicate"

    def __init__(self, surroundings: Any) -> None:
        super().__init__(surroundings)
        self._schemas: dict[str, Schema] = {}

    def capabilities(self) -> Capabilities:
        return Capabilities(
            title=self.title,
            local=False,
            tasks=(TEXT, IMAGE, INPAINT),
            previews=False,
            paid=True,
            models=MODELS,
            default_model=DEFAULT_MODEL,
            key=self.name,
            places=PLACES,
        )

    def check(self, key: str | None = None) -> str:
        """Asks whose key it is, which is free."""
        return str(self._asked(self._check(self._key(key))))

    def recall(self, provider_ids: Collection[str]) -> None:
        """Cancels predictions nobody waits for any more, all at the same time."""
        self._asked(self._recall(self._key(), provider_ids))

    async def _recall(self, key: str, provider_ids: Collection[str]) -> None:
        async with self._api(key) as api:
            await asyncio.gather(*(api.cancel(name) for name in provider_ids))

    async def _check(self, key: str) -> str:
        async with self._api(key) as api:
            return f"The key works; account: {await api.account()}"

    async def _draw(
        self, assignment: Assignment, index: int, exchange: Exchange
    ) -> AsyncGenerator[ProviderEvent, None]:
        job, request, key = assignment.job.id, assignment.job.request, self._key()
        before, notes = assignment.submitted.get(index), ()
        yield Loading(job=job, phase="asking Replicate")
        async with self._api(key) as api:
            yield Started(job=job, index=index, steps=request.steps or 1)
            if before is None:
                inputs = await self._inputs(api, assignment, index)
                before = Submitted(job=job, index=index, nonce=secrets.token_hex(8), provider_id="")
                yield Submitting(job=job, index=index, nonce=before.nonce)
                name = await _create(api, exchange, request.model or "", inputs.values)
                before = Submitted(job=job, index=index, nonce=before.nonce, provider_id=name)
                notes = inputs.notes
                yield before
            try:
                async for event in self._until_done(api, assignment, before, notes):
                    yield event
            except asyncio.CancelledError:
                if exchange.reason == CANCEL:
                    await api.cancel(before.provider_id)
                raise

    async def _until_done(
        self, api: Api, assignment: Assignment, call: Submitted, notes: tuple[str, ...]
    ) -> AsyncGenerator[ProviderEvent, None]:
        """Looks after a prediction until it ended, then fetches its picture."""
        began, seen, wait = time.monotonic(), (0, 0), _FIRST_WAIT
        while True:
            found = await api.prediction(call.provider_id)
            progress = _progress(found.get("logs"))
            if progress is not None and progress != seen:
                seen = progress
                seconds = (time.monotonic() - began) / max(1, seen[0])
                yield Step(job=call.job, index=call.index, step=seen[0], steps=seen[1], seconds=seconds)
            if found.get("status") not in ("starting", "processing"):
                break
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT)
        data = await api.download(_result(found, api))
        yield Encoded(
            job=call.job,
            index=call.index,
            nonce=call.nonce,
            data=data,
            seconds=time.monotonic() - began,
            cost=PER_IMAGE.get(assignment.job.request.model or ""),
            notes=notes,
        )

    async def _inputs(self, api: Api, assignment: Assignment, index: int) -> Any:
        request = assignment.job.request
        schema = await self._schema(api, request.model or "")
        files: dict[str, str] = {}
        for name, data in (("image", assignment.image), ("mask", assignment.mask)):
            if data:
                files[name] = await _address(api, name, data)
        return inputs_of(request, index, schema, files)

    async def _schema(self, api: Api, model: str) -> Schema:
        """The model's own inputs, read once in a run; ours where Replicate does not tell."""
        if model not in self._schemas:
            described = schema_of(await api.model(model))
            if described is None:
                return FALLBACK_SCHEMAS.get(model, {"prompt": {}})
            self._schemas[model] = described
        return self._schemas[model]

    def _api(self, key: str) -> Api:
        from .replicate_api import Api

        base = checked_endpoint(self._surroundings.endpoint(self.name) or ENDPOINT, "REPLICATE_BASE_URL")
        base = base.removesuffix("/v1")
        parts = urlsplit(base)
        own = f"{parts.scheme}://{parts.netloc}" if is_loopback(parts.hostname or "") else ""
        return Api(base, key, self._surroundings.silence_seconds(), RESULT_HOSTS, own)


async def _create(api: Api, exchange: Exchange, model: str, inputs: Mapping[str, Any]) -> str:
    """The new prediction's name. A wish to leave waits for it: an unnamed prediction is money nobody can find."""
    task = asyncio.ensure_future(api.create(model, inputs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        done, _ = await asyncio.wait([task], timeout=_LAST_WORD_SECONDS)
        if not done:
            task.cancel()
            raise
        name = task.result()
        if exchange.reason == CANCEL:
            await api.cancel(name)
        return name


async def _address(api: Api, name: str, data: bytes) -> str:
    """A small picture travels inside the request, a larger one is uploaded first."""
    if len(data) <= DATA_URI_BYTES:
        return "data:image/png;base64," + base64.b64encode(data).decode()
    return await api.upload(f"{name}.png", data)


def _progress(logs: object) -> tuple[int, int] | None:
    """(done, of) from the last progress bar in a model's log."""
    found = _PROGRESS.findall(logs[-4000:]) if isinstance(logs, str) else []
    if not found:
        return None
    done, total = int(found[-1][1][:9]), int(found[-1][2][:9])
    return (done, total) if 0 < done <= total else None


def _result(found: Mapping[str, Any], api: Api) -> object:
    """The address of the picture of a prediction that ended; raises the Problem it ended with."""
    status, output = found.get("status"), found.get("output")
    if status == "succeeded" and not found.get("data_removed"):
        first = output[0] if isinstance(output, list) and output else output
        if first:
            return first
        raise Refused("Replicate finished without a picture: its rules forbade it.", "Change the prompt.")
    if status == "succeeded":
        raise ProviderProblem("Replicate no longer has this result.", "It keeps results for an hour; retry the job.")
    said = api.said(found.get("error"))
    if status == "failed" and re.search(r"nsfw|sensitive|moderat|safety|E005", said, re.IGNORECASE):
        raise Refused(f"Replicate refused this prompt: {said}", "Change the prompt.")
    if status == "failed":
        raise ProviderProblem(f"Replicate could not make it: {said}", "Retry, or choose another model.")
    if status == "canceled":
        raise ProviderProblem("It was cancelled at Replicate.", "Retry it.")
    if status == "aborted":
        raise ProviderProblem("Replicate had no machine free in time.", "Nothing was charged; retry it.")
    raise ProviderProblem(f"Replicate ended it with a state nobody knows: {api.said(status)}", "Retry it.")
