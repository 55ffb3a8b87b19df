"""OpenAI: pictures from words, edits and masks, watched while they come. No request is ever sent twice by itself."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from ..domain.errors import BadAnswer
from ..domain.families import IMAGE, INPAINT, TEXT
from ..domain.prices import cost_of_image_tokens
from ..protocol.messages import Loading, Started, Step
from .base import Assignment, Capabilities, Encoded, EncodedPreview, ProviderEvent, Submitting
from .cloud import PLACES, CloudProvider
from .endpoints import checked_endpoint
from .leaving import PAUSE
from .openai_models import DEFAULT_MODEL, MODELS, RETIRED
from .words import mapping, parsed, request_number, server_sent, whole

if TYPE_CHECKING:
    import openai

    from .exchange import Exchange

ENDPOINT = "https://api.openai.com/v1"
_MOST_PREVIEWS = 3
_PAUSE_SECONDS = 15.0


class OpenAIProvider(CloudProvider):
    """GPT Image models. An answer that was lost on the way cannot be asked for again: such a job is uncertain."""

    name = "openai"
    title = "OpenAI"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            title=self.title,
            local=False,
            tasks=(TEXT, IMAGE, INPAINT),
            seeds=False,
            negative_prompt=False,
            paid=True,
            models=MODELS,
            default_model=DEFAULT_MODEL,
            retired=RETIRED,
            key=self.name,
            places=PLACES,
        )

    def pause(self, job: str) -> None:
        """Lets the image under way arrive, as it is paid for; gives up on it only when it dawdles."""
        exchange = self._exchanges.get(job)
        if exchange is not None:
            exchange.leave_soon(PAUSE, _PAUSE_SECONDS)

    def check(self, key: str | None = None) -> str:
        """Asks for the list of models, which is free."""
        return str(self._asked(self._check(self._key(key))))

    async def _check(self, key: str) -> str:
        from .openai_errors import FAILURES, problem_of

        try:
            async with self._client(key) as api:
                known = {model.id: getattr(model, "shutdown_date", None) async for model in api.models.list()}
        except FAILURES as error:
            raise problem_of(error, key) from None
        usable = [_with_its_end(model.name, known[model.name]) for model in MODELS if model.name in known]
        return "The key works; models: " + (", ".join(usable) or "none of those we know")

    async def _draw(
        self, assignment: Assignment, index: int, exchange: Exchange
    ) -> AsyncGenerator[ProviderEvent, None]:
        job, key = assignment.job.id, self._key()
        nonce, previews = secrets.token_hex(8), min(self._surroundings.previews(), _MOST_PREVIEWS)
        began, step = time.monotonic(), 0
        yield Loading(job=job, phase="asking OpenAI")
        yield Started(job=job, index=index, steps=previews + 1)
        yield Submitting(job=job, index=index, nonce=nonce)
        async for answer in self._answers(assignment, key, previews):
            if str(answer.get("type", "")).endswith("partial_image"):
                step = min(step + 1, previews)
                yield EncodedPreview(job=job, index=index, step=step, data=_picture(answer))
                yield Step(job=job, index=index, step=step, steps=previews + 1, seconds=time.monotonic() - began)
                continue
            seconds = time.monotonic() - began
            yield Step(job=job, index=index, step=previews + 1, steps=previews + 1, seconds=seconds)
            yield _finished(assignment, index, nonce, answer, seconds)
            return
        raise BadAnswer("OpenAI sent no picture.", "Retry later; it may have been charged.")

    async def _answers(self, assignment: Assignment, key: str, previews: int) -> AsyncIterator[dict[str, Any]]:
        """Partial pictures, then the whole one; every failure as a Problem."""
        from .openai_errors import FAILURES, problem_of, problem_of_answer

        request_id = ""
        try:
            async with self._client(key) as api, _send(api, assignment, previews) as response:
                request_id = request_number(response.headers.get("x-request-id"))
                async for answer in _read(response):
                    if answer.get("error") or answer.get("type") == "error":
                        inner = mapping(answer.get("error")) or answer
                        raise problem_of_answer(400, inner, key, {}, request_id)
                    yield answer
        except FAILURES as error:
            raise problem_of(error, key, request_id) from None

    def _client(self, key: str) -> openai.AsyncOpenAI:
        from openai import AsyncOpenAI

        from .connection import client

        seconds = self._surroundings.silence_seconds()
        endpoint = checked_endpoint(self._surroundings.endpoint(self.name) or ENDPOINT, "OPENAI_BASE_URL")
        return AsyncOpenAI(api_key=key, base_url=endpoint, max_retries=0, http_client=client(seconds), timeout=seconds)


def _with_its_end(model: str, shutdown: object) -> str:
    return f"{model} (until {shutdown[:10]})" if isinstance(shutdown, str) else model


def _send(api: openai.AsyncOpenAI, assignment: Assignment, previews: int) -> AbstractAsyncContextManager[Any]:
    request = assignment.job.request
    options: dict[str, Any] = {
        "model": request.model,
        "prompt": request.full_prompt,
        "size": f"{request.width}x{request.height}",
        "quality": request.quality or "auto",
        "background": request.background or "auto",
        "output_format": "png",
        "stream": True,
        "partial_images": previews,
    }
    if assignment.image:
        options["image"] = ("image.png", assignment.image, "image/png")
        if assignment.cutout:
            options["mask"] = ("mask.png", assignment.cutout, "image/png")
        return api.images.with_streaming_response.edit(**options)
    return api.images.with_streaming_response.generate(**options)


async def _read(response: Any) -> AsyncIterator[dict[str, Any]]:
    """Server-sent events, or the one JSON object of a server that does not stream."""
    if "event-stream" in response.headers.get("content-type", ""):
        async for event in server_sent(response.iter_lines()):
            yield event
        return
    body = parsed(await response.read())
    if not isinstance(body, dict):
        raise ValueError("no object")
    if body.get("error"):
        yield body
        return
    data = body.get("data")
    first = data[0] if isinstance(data, list) and data else None
    yield {**mapping(first), "usage": body.get("usage")}


def _picture(answer: dict[str, Any]) -> bytes:
    text = answer.get("b64_json")
    try:
        return base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError):
        raise BadAnswer("OpenAI sent a picture that is cut off.", "Retry; it may have been charged.") from None


def _finished(assignment: Assignment, index: int, nonce: str, answer: dict[str, Any], seconds: float) -> Encoded:
    revised = answer.get("revised_prompt")
    data = _picture(answer)
    if not data:
        raise BadAnswer("OpenAI sent no picture.", "Retry later; it may have been charged.")
    return Encoded(
        job=assignment.job.id,
        index=index,
        nonce=nonce,
        data=data,
        seconds=seconds,
        cost=_cost(assignment.job.request.model or "", answer.get("usage")),
        revised_prompt=revised if isinstance(revised, str) else "",
    )


def _cost(model: str, usage: object) -> float | None:
    """From the provider's own count; None when it sent none."""
    counted = mapping(usage)
    made = whole(counted.get("output_tokens"))
    if not made:
        return None
    details = mapping(counted.get("input_tokens_details"))
    return cost_of_image_tokens(model, whole(details.get("text_tokens")), whole(details.get("image_tokens")), made)
