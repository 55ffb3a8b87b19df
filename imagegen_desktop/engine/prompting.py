"""What a pipeline is told of a request's words: plain text where that is all, otherwise embeddings made here.

Weights and long texts as artists know them from AUTOMATIC1111: each chunk of 75 tokens is encoded alone, its vectors
are multiplied by their tokens' weights and brought back to the mean they had, and the chunks are put side by side.
Words that change with the steps are a pure function of the step, so that a resumed picture is the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from ..domain.errors import BadInput
from ..domain.prompt_meaning import Said, changes_over_time, plain_text, said_at
from ..domain.prompt_syntax import Parts, parse
from ..domain.request import GenerationRequest
from .chunks import Chunk, Chunker

#: The layer, counted from the end as trained, whose output these families read; the others read the last.
_READ_LAYER = {"sd2": 2, "sdxl": 2}


@dataclass(frozen=True)
class Conditioning:
    """Embeddings of prompt and negative prompt, (1, 77 × chunks, width), and their pooled vectors where there are."""

    words: torch.Tensor
    negative: torch.Tensor
    pooled: torch.Tensor | None
    negative_pooled: torch.Tensor | None

    def like(self, other: torch.Tensor) -> Conditioning:
        """On the other's device, in its precision."""
        tensors = (self.words, self.negative, self.pooled, self.negative_pooled)
        words, negative, pooled, negative_pooled = (None if each is None else each.to(other) for each in tensors)
        assert words is not None
        assert negative is not None
        return Conditioning(words, negative, pooled, negative_pooled)

    @cached_property
    def both(self) -> torch.Tensor:
        """As a denoiser is asked about both at once: the negative one first."""
        return torch.cat([self.negative, self.words])

    @cached_property
    def both_pooled(self) -> torch.Tensor | None:
        if self.pooled is None or self.negative_pooled is None:
            return None
        return torch.cat([self.negative_pooled, self.pooled])


class Prompting:
    """Of one pipeline call."""

    def __init__(self, pipeline: Any, family: str, request: GenerationRequest) -> None:
        self.notes: list[str] = []
        self._pipeline = pipeline
        self._planned = request.steps or 1
        self._texts = request.full_prompt, request.full_negative_prompt
        self._trees: tuple[Parts, Parts] = parse(self._texts[0]), parse(self._texts[1])
        self._weighs = hasattr(pipeline, "unet")
        self._skip = max(0, (request.clip_skip or 1) - _READ_LAYER.get(family, 1))
        self._encoders = _encoders_of(pipeline) if self._weighs else []
        self._check_skip(request.clip_skip)
        self._changes = self._weighs and any(map(changes_over_time, self._trees))
        self._stages: list[Conditioning] = []

    def told(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the pipeline call with these words instead of its prompt and negative prompt."""
        if not self._weighs:
            return arguments | {name: text for name, text in self._without_weights().items() if name in arguments}
        said = self._said(0, self._planned)
        if not self._changes and self._is_plain(said):
            return arguments | {"prompt": _text_of(said[0]), "negative_prompt": _text_of(said[1])}
        with torch.no_grad():
            first = self._encoded([said])[0]
        told = arguments | {"prompt": None, "negative_prompt": None}
        told |= {"prompt_embeds": first.words, "negative_prompt_embeds": first.negative}
        if first.pooled is not None:
            told |= {"pooled_prompt_embeds": first.pooled, "negative_pooled_prompt_embeds": first.negative_pooled}
        return told

    @contextmanager
    def changing(self, step: Callable[[], int]) -> Iterator[None]:
        """Within it the networks hear the words of the step they are in; `step` tells how many are finished."""
        if not self._changes:
            yield
            return

        def say(network: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            return args, kwargs | self._heard(kwargs, step())

        networks = [getattr(self._pipeline, name, None) for name in ("unet", "controlnet")]
        handles = [each.register_forward_pre_hook(say, with_kwargs=True) for each in networks if each is not None]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _heard(self, kwargs: dict[str, Any], step: int) -> dict[str, Any]:
        if not self._stages:
            self._stages = self._all_stages(self._pipeline.num_timesteps, kwargs["encoder_hidden_states"])
        now = self._stages[min(step, len(self._stages) - 1)]
        alone = kwargs["encoder_hidden_states"].shape[0] == 1
        heard: dict[str, Any] = {"encoder_hidden_states": now.words if alone else now.both}
        if now.pooled is not None:
            pooled = now.pooled if alone else now.both_pooled
            heard["added_cond_kwargs"] = kwargs["added_cond_kwargs"] | {"text_embeds": pooled}
        return heard

    def _all_stages(self, steps: int, like: torch.Tensor) -> list[Conditioning]:
        """What is said in each of the steps, encoded once for all that say the same, where and as precise as `like`."""
        by_step = [self._said(step, steps) for step in range(steps)]
        different = list(dict.fromkeys(by_step))
        encoded = {said: each.like(like) for said, each in zip(different, self._encoded(different), strict=True)}
        return [encoded[said] for said in by_step]

    def _said(self, step: int, steps: int) -> tuple[Said, Said]:
        words, negative = (said_at(tree, step, steps, self._planned) for tree in self._trees)
        return words, negative

    def _without_weights(self) -> dict[str, Any]:
        plain = {name: plain_text(text) for name, text in zip(("prompt", "negative_prompt"), self._texts, strict=True)}
        if (*plain.values(),) != self._texts:
            self.notes.append("weights in the prompt are left out: this model reads plain text")
        if self._skip:
            self.notes.append("clip skip is left out: this model has none")
        return plain

    def _check_skip(self, clip_skip: int | None) -> None:
        most = min((encoder.layers + 1 for encoder in self._encoders), default=None)
        if clip_skip is not None and most is not None and clip_skip > most:
            raise BadInput("clip skip", clip_skip, f"a whole number from 1 to {most} with this model")

    # ---- encoding -----------------------------------------------------------------------------------------

    def _is_plain(self, both: tuple[Said, Said]) -> bool:
        """Whether the bare pipeline would read just this."""
        if self._skip:
            return False
        each = [encoder.chunks(said) for said in both for encoder in self._encoders]
        return all(len(chunks) == 1 and not chunks[0].weighted for chunks in each)

    def _encoded(self, stages: list[tuple[Said, Said]]) -> list[Conditioning]:
        """All of the same length, so that the denoiser's work keeps its shape."""
        most = max(len(encoder.chunks(said)) for both in stages for said in both for encoder in self._encoders)
        encoded = []
        for both in stages:
            (words, pooled), (negative, negative_pooled) = (self._side_by_side(said, most) for said in both)
            encoded.append(Conditioning(words, negative, pooled, negative_pooled))
        return encoded

    def _side_by_side(self, said: Said, most: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        pooled = None
        columns = []
        for encoder in self._encoders:
            chunks = encoder.chunks(said)
            chunks += [encoder.empty()] * (most - len(chunks))
            encoded = [encoder.encode(chunk, self._skip) for chunk in chunks]
            columns.append(torch.cat([vectors for vectors, _ in encoded], dim=1))
            pooled = encoded[0][1] if encoded[0][1] is not None else pooled
        return torch.cat(columns, dim=-1), pooled


class _Encoder:
    """A text encoder with its tokenizer, read as the pipeline reads it."""

    def __init__(self, pipeline: Any, number: str, penultimate: bool) -> None:
        tokenizer = getattr(pipeline, f"tokenizer{number}")
        convert = getattr(pipeline, "maybe_convert_prompt", None)
        self._chunker = Chunker(tokenizer, (lambda text: convert(text, tokenizer)) if convert else lambda text: text)
        self._network = getattr(pipeline, f"text_encoder{number}")
        self._penultimate = penultimate
        self.layers: int = self._network.config.num_hidden_layers
        self._pipeline = pipeline

    def chunks(self, said: Said) -> list[Chunk]:
        return self._chunker.chunks(said)

    def empty(self) -> Chunk:
        return self._chunker.empty()

    def encode(self, chunk: Chunk, skip: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The chunk's weighted vectors, (1, 77, width), and its pooled one where the encoder has it."""
        ids = torch.tensor([chunk.ids], device=self._pipeline._execution_device)
        pooled = None
        if self._penultimate:
            output = self._network(ids, output_hidden_states=True)
            pooled = output[0] if output[0].ndim == 2 else None
            vectors = output.hidden_states[-(skip + 2)]
        elif skip:
            output = self._network(ids, attention_mask=None, output_hidden_states=True)
            vectors = self._normed(output.hidden_states[-(skip + 1)])
        else:
            vectors = self._network(ids, attention_mask=None)[0]
        return (_weigh(vectors, chunk.weights) if chunk.weighted else vectors), pooled

    def _normed(self, vectors: torch.Tensor) -> torch.Tensor:
        inner = getattr(self._network, "text_model", self._network)
        normed: torch.Tensor = inner.final_layer_norm(vectors)
        return normed


def _encoders_of(pipeline: Any) -> list[_Encoder]:
    two = getattr(pipeline, "text_encoder_2", None) is not None
    numbers = [number for number in ("", "_2") if getattr(pipeline, f"text_encoder{number}", None) is not None]
    return [_Encoder(pipeline, number, penultimate=two) for number in numbers]


def _weigh(vectors: torch.Tensor, weights: tuple[float, ...]) -> torch.Tensor:
    """Each token's vector times its weight, then all brought back to the mean they had.

    Where that would more than double or halve them the mean is too near zero to mean anything, and they stay.
    """
    exact = vectors.float()
    weighed = exact * torch.tensor(weights, device=vectors.device).view(1, -1, 1)
    scale = float(exact.mean() / weighed.mean())
    return (weighed * scale if 0.5 <= scale <= 2.0 else weighed).to(vectors.dtype)


def _text_of(said: Said) -> str:
    return "".join(segment.text for segment in said[0])
