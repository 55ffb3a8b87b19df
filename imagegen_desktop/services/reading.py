"""Reading a prompt as its model will: how long it is, and which of its names nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..domain.prompt_meaning import lora_tags, said_at
from ..domain.prompt_syntax import parse
from ..domain.request import GenerationRequest
from ..domain.wildcards import Tables, unknown_names
from ..providers.base import Provider
from ..weights.tokens import Counter, counter_of
from .compose import Composer
from .model_library import ModelLibrary

_LORA = "lora"
#: What is longer is not read while it is typed.
MOST_CHARACTERS = 20_000


@dataclass(frozen=True)
class Reading:
    """`tokens` of the `room` that the chunks it takes have; no room where nobody knows. `unknown`: texts as written
    that name a file which is not there."""

    tokens: int = 0
    room: int = 0
    unknown: tuple[str, ...] = ()


class Reader:
    """Keeps the tokenizer it used last."""

    def __init__(
        self,
        compose: Composer,
        models: ModelLibrary,
        provider: Callable[[str], Provider],
        wildcards: Callable[[], Tables],
    ) -> None:
        self._compose = compose
        self._models = models
        self._provider = provider
        self._wildcards = wildcards
        self._counters: dict[str, Counter | None] = {}

    def read(self, request: GenerationRequest) -> Reading:
        """The artist's prompt; raises BadInput or ModelProblem for a model that is not there."""
        if len(request.prompt) > MOST_CHARACTERS or not self._provider(request.provider).capabilities().local:
            return Reading()
        tokens, room = self._length(request)
        return Reading(tokens, room, tuple(self._unknown(request.prompt)))

    def _length(self, request: GenerationRequest) -> tuple[int, int]:
        card = self._compose.model(request.model)
        place = card.kit or card.path
        if not card.traits.weights:
            return 0, 0
        if place not in self._counters:
            self._counters = {place: counter_of(Path(place))}
        counter = self._counters[place]
        if counter is None:
            return 0, 0
        chunks = said_at(parse(request.prompt))
        counts = [sum(counter.count(segment.text) for segment in chunk) for chunk in chunks]
        return sum(counts), counter.room * sum(max(1, -(-count // counter.room)) for count in counts)

    def _unknown(self, prompt: str) -> list[str]:
        tables = self._wildcards() if "__" in prompt else {}
        unknown = [f"__{name}__" for name in unknown_names(prompt, tables)]
        known = {card.name.casefold() for card in self._models.extras(_LORA)} if "<" in prompt else set()
        tags = (lora.name for lora in lora_tags(prompt)[1])
        return unknown + [f"<lora:{name}" for name in tags if name.casefold() not in known]
