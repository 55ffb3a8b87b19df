"""Text cut into what a CLIP encoder reads at once: chunks of 75 tokens, each token with its weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..domain.prompt_meaning import Said

#: A comma at most this many tokens before the end of a full chunk is where the chunk ends instead.
_LOOK_BACK = 20

#: A token's number and how much it counts.
Token = tuple[int, float]


@dataclass(frozen=True)
class Chunk:
    """Begin, tokens, end and padding, as long as the encoder takes; `weights` has a number for each."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]

    @property
    def weighted(self) -> bool:
        return any(weight != 1.0 for weight in self.weights)


class Chunker:
    """For one tokenizer; `convert` spells out words that stand for several tokens (textual inversion)."""

    def __init__(self, tokenizer: Any, convert: Callable[[str], str] = lambda text: text) -> None:
        self._tokenizer = tokenizer
        self._convert = convert
        self._room: int = tokenizer.model_max_length - 2
        self._comma = self._tokens(",")[-1]

    def chunks(self, said: Said) -> list[Chunk]:
        """At least one; a BREAK begins a new one, and so does a full one, at a comma that is near its end."""
        pieces: list[list[Token]] = []
        for part in said:
            tokens = [(number, each.weight) for each in part for number in self._tokens(each.text)]
            pieces += self._cut(tokens)
        return [self._whole(piece) for piece in pieces]

    def empty(self) -> Chunk:
        return self._whole([])

    def _cut(self, tokens: list[Token]) -> list[list[Token]]:
        pieces: list[list[Token]] = []
        while len(tokens) > self._room:
            end = self._end_of(tokens)
            pieces.append(tokens[:end])
            tokens = tokens[end:]
        return [*pieces, tokens]

    def _end_of(self, tokens: list[Token]) -> int:
        """Where the first chunk of more tokens than one holds ends."""
        if tokens[self._room][0] != self._comma:
            for place in range(self._room - 1, self._room - 1 - _LOOK_BACK, -1):
                if tokens[place][0] == self._comma:
                    return place + 1
        return self._room

    def _whole(self, tokens: list[Token]) -> Chunk:
        padding = self._room - len(tokens)
        begin, end, pad = (getattr(self._tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad"))
        ids = (begin, *(number for number, _ in tokens), end, *[pad] * padding)
        return Chunk(ids, (1.0, *(weight for _, weight in tokens), 1.0, *[1.0] * padding))

    def _tokens(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(self._convert(text), add_special_tokens=False, verbose=False).input_ids)
