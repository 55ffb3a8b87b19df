"""PromptWriter: a language model behind OpenAI's Responses, or behind any server that speaks Chat Completions."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from ..domain.errors import BadAnswer, KeyRefused, ProviderProblem, Unreachable
from .cloud import Surroundings
from .connection import TooLarge, checked_endpoint, client
from .exchange import CANCEL, Exchange
from .openai import ENDPOINT
from .words import mapping, parsed, server_sent, their_words, whole

OPENAI = "openai"
OWN = "writer"

_MOST_TOKENS = 400
_MOST_CHARACTERS = 8_000
_MOST_BYTES = 4 * 2**20
_FAILURES = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, TooLarge, OSError)


@dataclass(frozen=True, kw_only=True)
class Commission:
    """Words to be written: what to do, with which text. An empty `endpoint` is OpenAI itself."""

    instructions: str
    text: str
    model: str
    endpoint: str = ""


@dataclass(frozen=True, kw_only=True)
class Used:
    """Tokens of one commission, as the server counted them; 0 where it does not."""

    tokens_in: int = 0
    tokens_out: int = 0


class PromptWriter:
    """Writes one text at a time for each caller; `cancel` ends them all at once, from any thread."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._exchanges: set[Exchange] = set()

    def can_write(self, endpoint: str) -> bool:
        """Whether there is somebody to ask: an own endpoint, or a key for OpenAI."""
        return bool(endpoint or self._surroundings.key(OPENAI))

    def write(self, commission: Commission) -> Iterator[str | Used]:
        """Pieces of the text as they come, then what it took; raises a Problem, or Left after `cancel`."""
        exchange = Exchange()
        with self._lock:
            self._exchanges.add(exchange)
        try:
            yield from exchange.iterate(self._pieces(commission))
        finally:
            with self._lock:
                self._exchanges.discard(exchange)
            exchange.close()

    def cancel(self) -> None:
        with self._lock:
            exchanges = list(self._exchanges)
        for exchange in exchanges:
            exchange.leave(CANCEL)

    async def _pieces(self, commission: Commission) -> AsyncGenerator[str | Used, None]:
        address, key, body = self._call(commission)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        written = 0
        try:
            async with (
                client(self._surroundings.silence_seconds(), headers, _MOST_BYTES) as http,
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
        except _FAILURES:
            raise Unreachable("The language model cannot be reached.", "Check its address and the network.") from None

    def _call(self, commission: Commission) -> tuple[str, str, dict[str, Any]]:
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
            return f"{base}/chat/completions", self._surroundings.key(OWN), body
        base = checked_endpoint(self._surroundings.endpoint(OPENAI) or ENDPOINT, "OPENAI_BASE_URL")
        body = {
            "model": commission.model,
            "instructions": commission.instructions,
            "input": commission.text,
            "reasoning": {"effort": "none"},
            "max_output_tokens": _MOST_TOKENS,
            "store": False,
            "stream": True,
        }
        return f"{base}/responses", self._surroundings.key(OPENAI), body


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
