"""Talking to a language model: OpenAI's Responses, or Chat Completions as most other servers speak them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

import httpx2

from ..domain.errors import BadAnswer, KeyRefused, ProviderProblem, Unreachable
from .cloud import Surroundings
from .connection import FAILURES, client
from .endpoints import checked_endpoint
from .openai import ENDPOINT
from .prompt_writer import OPENAI, OWN, Commission, Used
from .words import mapping, parsed, server_sent, their_words, whole

_MOST_TOKENS = 400
_MOST_CHARACTERS = 8_000
_MOST_BYTES = 4 * 2**20


async def pieces(commission: Commission, surroundings: Surroundings) -> AsyncGenerator[str | Used, None]:
    address, key, body = _call(commission, surroundings)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    written = 0
    try:
        async with (
            client(surroundings.silence_seconds(), headers, _MOST_BYTES) as http,
            http.stream("POST", address, json=body) as response,
        ):
            if not response.is_success:
                await response.aread()
                raise _problem(response, key, bool(commission.endpoint))
            async for answer in _answers(response):
                piece, used = _text_of(answer, key)
                written += len(piece)
                if written > _MOST_CHARACTERS:
                    raise BadAnswer("The language model does not come to an end.", "Choose another one.")
                if piece:
                    yield piece
                if used is not None:
                    yield used
    except ValueError:
        raise BadAnswer("The language model sent an answer nobody can read.", "Check its address.") from None
    except FAILURES:
        raise Unreachable("The language model cannot be reached.", "Check its address and the network.") from None


def _call(commission: Commission, surroundings: Surroundings) -> tuple[str, str, dict[str, Any]]:
    """Address, key and body in the form the endpoint understands."""
    if commission.endpoint:
        base = checked_endpoint(commission.endpoint, "writer_endpoint")
        body = {
            "model": commission.model,
            "messages": [
                {"role": "system", "content": commission.instructions},
                {"role": "user", "content": commission.text},
            ],
            "max_tokens": _MOST_TOKENS,
            "stream": True,
        }
        return f"{base}/chat/completions", surroundings.key(OWN), body
    base = checked_endpoint(surroundings.endpoint(OPENAI) or ENDPOINT, "OPENAI_BASE_URL")
    body = {
        "model": commission.model,
        "instructions": commission.instructions,
        "input": commission.text,
        "reasoning": {"effort": "none"},
        "max_output_tokens": _MOST_TOKENS,
        "store": False,
        "stream": True,
    }
    return f"{base}/responses", surroundings.key(OPENAI), body


async def _answers(response: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    if "event-stream" in response.headers.get("content-type", ""):
        async for event in server_sent(response.aiter_lines()):
            yield event
        return
    answer = parsed(await response.aread())
    if not isinstance(answer, dict):
        raise ValueError("no object")
    yield answer


def _text_of(answer: dict[str, Any], key: str) -> tuple[str, Used | None]:
    """The words in one event or one whole answer of either interface, and the count where there is one."""
    if answer.get("error") or answer.get("type") == "error":
        said = their_words(mapping(answer.get("error") or answer).get("message"), key)
        raise ProviderProblem(f"The language model failed: {said}", "Retry it.")
    finished = mapping(answer.get("response"))
    counted = mapping(answer.get("usage") or finished.get("usage"))
    used = None
    if counted:
        used = Used(
            tokens_in=whole(counted.get("input_tokens") or counted.get("prompt_tokens")),
            tokens_out=whole(counted.get("output_tokens") or counted.get("completion_tokens")),
        )
    kind = answer.get("type")
    if kind == "response.output_text.delta":
        return _words(answer.get("delta")), used
    if isinstance(kind, str) and kind.startswith("response."):
        return "", used
    return "".join(_whole_answer(answer)), used


def _whole_answer(answer: dict[str, Any]) -> Iterator[str]:
    """Chat Completions, streamed or not, and Responses that were not streamed."""
    for choice in _list(answer.get("choices")):
        yield _words(mapping(mapping(choice).get("delta") or mapping(choice).get("message")).get("content"))
    for item in _list(answer.get("output")):
        for part in _list(mapping(item).get("content")):
            if mapping(part).get("type") == "output_text":
                yield _words(mapping(part).get("text"))


def _problem(response: httpx2.Response, key: str, own: bool) -> ProviderProblem:
    if not own:
        from .openai_errors import problem_of_answer

        error = mapping(mapping(_json(response)).get("error"))
        return problem_of_answer(response.status_code, error, key, response.headers, "")
    if response.status_code in (401, 403):
        return KeyRefused("The language model's server asks for a key.", "Enter one: `keys set writer`.")
    said = their_words(mapping(mapping(_json(response)).get("error")).get("message"), key)
    return ProviderProblem(f"The language model's server refused (status {response.status_code}): {said}")


def _json(response: httpx2.Response) -> object:
    try:
        return parsed(response.content)
    except ValueError:
        return {}


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
