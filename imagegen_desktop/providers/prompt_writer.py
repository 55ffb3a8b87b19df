"""PromptWriter: a language model behind OpenAI's Responses, or behind any server that speaks Chat Completions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cloud import Surroundings
from .leaving import CANCEL

if TYPE_CHECKING:
    from .exchange import Exchange

OPENAI = "openai"
OWN = "writer"


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
        from .chat import pieces
        from .exchange import Exchange

        exchange = Exchange()
        with self._lock:
            self._exchanges.add(exchange)
        try:
            yield from exchange.iterate(pieces(commission, self._surroundings))
        finally:
            with self._lock:
                self._exchanges.discard(exchange)
            exchange.close()

    def cancel(self) -> None:
        with self._lock:
            exchanges = list(self._exchanges)
        for exchange in exchanges:
            exchange.leave(CANCEL)
