"""Textual inversion: words that stand for learned vectors, added to the text encoders and taken away exactly.

A word with n vectors becomes n tokens of its own. The tokenizers and the encoders' tables of tokens are changed in
place, so that every pipeline on them knows the words, and are put back as the very objects they were.
Gal et al., https://arxiv.org/abs/2208.01618
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers.hooks.group_offloading import _maybe_remove_and_reapply_group_offloading
from safetensors.torch import load_file
from tokenizers import AddedToken

from ..domain.additions import word_pattern
from ..domain.errors import BadInput, ModelProblem
from .failures import first_line
from .loras import FileStamp

#: The encoder a tensor of that name is for; a tensor of any other name is for the first.
_ENCODER_OF = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}


@dataclass(frozen=True)
class Word:
    """A word of the prompt, and the file its vectors lie in."""

    name: str
    file: FileStamp


@dataclass
class _Before:
    """What a tokenizer and an encoder were before words were added."""

    tokenizer: Any
    backend: Any
    table: Any
    weight: Any = field(repr=False)

    def put_back(self) -> None:
        self.tokenizer._tokenizer = self.backend
        self.table.weight = self.weight
        self.table.num_embeddings = len(self.weight)


class Embeddings:
    """Of one model's text encoders."""

    def __init__(self, pipeline: Any, encoders: tuple[str, ...]) -> None:
        self._pipeline = pipeline
        self._encoders = encoders
        self._applied: tuple[Word, ...] = ()
        self._tokens: dict[str, str] = {}
        self._before: list[_Before] = []

    def apply(self, wanted: tuple[Word, ...]) -> None:
        """Exactly these are known from now on; raises BadInput for one that does not fit, and then none is."""
        if wanted == self._applied:
            return
        vectors = [self._vectors(word) for word in wanted]
        self.clear()
        for encoder in self._encoders if wanted else ():
            self._before.append(self._extend(encoder, [found[encoder] for found in vectors]))
        self._place_again()
        for number, found in enumerate(vectors):
            count = len(found[self._encoders[0]])
            self._tokens[wanted[number].name] = " ".join(_token(number, place) for place in range(count))
        self._applied = wanted

    def clear(self) -> None:
        if self._before:
            for before in self._before:
                before.put_back()
            self._place_again()
        self._before, self._applied, self._tokens = [], (), {}

    def spelled(self, text: str) -> str:
        """The text with every known word as its tokens."""
        for name, tokens in self._tokens.items():
            text = word_pattern(name).sub(tokens, text)
        return text

    def state(self) -> tuple[object, ...]:
        """What of the words changes what the encoders say to a token."""
        return self._applied

    def _place_again(self) -> None:
        """Encoders whose weights stream through a card keep a list of them."""
        for encoder in self._encoders:
            _maybe_remove_and_reapply_group_offloading(getattr(self._pipeline, encoder))

    def _vectors(self, word: Word) -> dict[str, torch.Tensor]:
        """(vectors, width) for each encoder; raises BadInput unless each has its own and they are as wide as it is."""
        found: dict[str, torch.Tensor] = {}
        for name, tensor in _read(word).items():
            encoder = _ENCODER_OF.get(name, self._encoders[0])
            found[encoder] = tensor if tensor.ndim == 2 else tensor.reshape(1, -1)
        widths = {name: getattr(self._pipeline, name).get_input_embeddings().weight.shape[1] for name in self._encoders}
        if {name: tensor.shape[-1] for name, tensor in found.items()} != widths:
            brought = ", ".join(f"{tensor.shape[-1]} wide" for tensor in found.values()) or "empty"
            needed = ", ".join(str(width) for width in widths.values())
            raise BadInput(
                "embedding", word.name, f"it was made for another kind of model ({brought}, this one needs {needed})"
            )
        if len({len(tensor) for tensor in found.values()}) > 1:
            raise BadInput("embedding", word.name, "its parts have the same number of vectors in a whole file")
        return found

    def _extend(self, encoder: str, vectors: list[torch.Tensor]) -> _Before:
        tokenizer = getattr(self._pipeline, encoder.replace("text_encoder", "tokenizer"))
        table = getattr(self._pipeline, encoder).get_input_embeddings()
        before = _Before(tokenizer, tokenizer._tokenizer, table, table.weight)
        tokens = [_token(number, place) for number, rows in enumerate(vectors) for place in range(len(rows))]
        first = len(table.weight)
        # The table may have more rows than there are tokens; ours begin where it ends.
        spare = [f"§spare{number}§" for number in range(first - len(tokenizer))]
        tokenizer._tokenizer = copy.deepcopy(before.backend)
        tokenizer._tokenizer.add_tokens([AddedToken(token, normalized=False) for token in (*spare, *tokens)])
        rows = torch.cat([part.to(table.weight) for part in vectors])
        table.weight = torch.nn.Parameter(torch.cat([table.weight.data, rows]), requires_grad=False)
        table.num_embeddings = len(table.weight)
        return before


def _token(number: int, place: int) -> str:
    """Letters that no artist types and no brackets or colons that the syntax of prompts knows."""
    return f"§{number}.{place}§"


def _read(word: Word) -> dict[str, torch.Tensor]:
    try:
        return {name: tensor for name, tensor in load_file(word.file[0]).items() if tensor.ndim in (1, 2)}
    except Exception as error:  # a broken file fails in any layer
        name = Path(word.file[0]).name
        raise ModelProblem(f"The embedding {name} cannot be read: {first_line(error)}", "Copy it again.") from error
