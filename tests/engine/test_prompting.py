"""Weights, long texts, BREAK, clip skip and words that change: what reaches the denoiser, against bare diffusers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.protocol.messages import Idle, Pause, Paused, Step
from tests.engine import bare
from tests.engine.engine_child import EngineChild, command, only, request, task_request

Tiny = Callable[[str], Path]

SDS = ["sd1", "sd2", "sdxl"]


class Bare:
    """A bare pipeline whose embeddings the test makes itself."""

    def __init__(self, folder: Path, wish: GenerationRequest) -> None:
        self.pipe = bare._pipeline(folder, wish.task)
        self.wish = wish
        self.xl = hasattr(self.pipe, "text_encoder_2")

    def encode(self, text: str, **options: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The pipeline's own embeddings of one chunk."""
        with torch.no_grad():
            found = self.pipe.encode_prompt(
                text, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False, **options
            )
        return found[0], (found[2] if self.xl else None)

    def early(self, text: str) -> tuple[torch.Tensor, torch.Tensor | None]:
        """One layer less; diffusers' own way fails on Stable Diffusion 1 with this transformers."""
        if self.xl:
            return self.encode(text, clip_skip=1)
        encoder = self.pipe.text_encoder
        ids = self.pipe.tokenizer(text, padding="max_length", return_tensors="pt").input_ids
        with torch.no_grad():
            return encoder.final_layer_norm(encoder(ids, output_hidden_states=True).hidden_states[-2]), None

    def pixels(self, words: list[torch.Tensor], negative: list[torch.Tensor], pooled: Any = None, **more: Any) -> bytes:
        arguments = bare._arguments(self.wish, type(self.pipe).__name__) | more
        arguments |= {"prompt": None, "negative_prompt": None}
        arguments |= {"prompt_embeds": torch.cat(words, dim=1), "negative_prompt_embeds": torch.cat(negative, dim=1)}
        if self.xl:
            arguments |= {"pooled_prompt_embeds": pooled[0], "negative_pooled_prompt_embeds": pooled[1]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.pipe.scheduler = type(self.pipe.scheduler).from_config(self.pipe.scheduler.config)
            torch.manual_seed(self.wish.seed or 0)
            return bytes(self.pipe(**arguments).images[0].tobytes())


def weigh(vectors: torch.Tensor, first: int, last: int, weight: float) -> torch.Tensor:
    """Tokens first … last of a chunk (0 is its beginning) weighed as AUTOMATIC1111 does."""
    weighed = vectors.clone()
    weighed[:, first:last] *= weight
    scale = float(vectors.mean() / weighed.mean())
    return weighed * (scale if 0.5 <= scale <= 2 else 1.0)


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
@pytest.mark.parametrize(
    "prompt", ["a (red:1.0) cat", "(a red cat:1)", "([a red cat])", "a red cat <lora:x:0.5>", r"a red cat"]
)
def test_words_that_weigh_one_are_the_bare_pipelines(engine: EngineChild, tiny: Tiny, kind: str, prompt: str) -> None:
    wish = request(prompt=prompt)
    bared = bare.pixels(replace(wish, prompt="a red cat"), tiny(kind))
    assert engine.image(command(wish, tiny(kind), family=kind)).pixels == bared


@pytest.mark.parametrize("kind", SDS)
def test_weights_are_those_of_the_embedding(engine: EngineChild, tiny: Tiny, kind: str) -> None:
    wish = request(prompt="a (red:1.5) cat", negative_prompt="[blue]", sampler="Model default")
    pipe = Bare(tiny(kind), wish)
    (words, pooled), (negative, negative_pooled) = pipe.encode("a red cat"), pipe.encode("blue")
    # One byte is one token: "a" 1, "red" 2 … 4; "blue" 1 … 4. Each encoder's vectors keep their own mean.
    halves = (lambda tensor: tensor.chunk(2, dim=-1)) if pipe.xl else (lambda tensor: (tensor,))
    words = torch.cat([weigh(each, 2, 5, 1.5) for each in halves(words)], dim=-1)
    negative = torch.cat([weigh(each, 1, 5, round(1 / 1.1, 9)) for each in halves(negative)], dim=-1)
    expected = pipe.pixels([words], [negative], (pooled, negative_pooled))
    assert engine.image(command(wish, tiny(kind), family=kind)).pixels == expected
    assert expected != bare.pixels(replace(wish, prompt="a red cat", negative_prompt="blue"), tiny(kind))


@pytest.mark.parametrize("kind", SDS)
@pytest.mark.parametrize("task", ["text", "image", "inpaint"])
def test_break_puts_chunks_side_by_side(engine: EngineChild, tiny: Tiny, kind: str, task: str) -> None:
    wish = task_request(task, prompt="a red cat BREAK at night")
    pipe = Bare(tiny(kind), wish)
    one, two, empty, negative = (pipe.encode(text) for text in ("a red cat", "at night", "", "blue"))
    expected = pipe.pixels([one[0], two[0]], [negative[0], empty[0]], (one[1], negative[1]))
    assert engine.image(command(wish, tiny(kind), family=kind)).pixels == expected


def test_a_long_text_is_read_to_its_end(engine: EngineChild, tiny: Tiny) -> None:
    wish = request(prompt="x" * 70 + "yz" * 10)
    pipe = Bare(tiny("sd1"), wish)
    chunks = [wish.prompt[:75], wish.prompt[75:]]
    words, (negative, _), (empty, _) = [pipe.encode(text)[0] for text in chunks], pipe.encode("blue"), pipe.encode("")
    # The bytes of one word end in another symbol than those of two: only the first tokens are compared by meaning.
    assert words[0].shape == words[1].shape == negative.shape == empty.shape
    long = engine.image(command(wish, tiny("sd1"))).pixels
    assert long != engine.image(command(replace(wish, prompt=chunks[0]), tiny("sd1"))).pixels
    assert long != engine.image(command(replace(wish, prompt=wish.prompt + "z"), tiny("sd1"))).pixels


def test_a_long_text_is_cut_at_a_comma_near_the_end(engine: EngineChild, tiny: Tiny) -> None:
    first, second = "a " * 59 + "b,", "c " * 30
    wish = request(prompt=first + second, negative_prompt="")
    pipe = Bare(tiny("sd1"), wish)
    empty = pipe.encode("")[0]
    expected = pipe.pixels([pipe.encode(first)[0], pipe.encode(second)[0]], [empty, empty])
    assert engine.image(command(wish, tiny("sd1"))).pixels == expected
    by_hand = replace(wish, prompt=f"{first} BREAK {second}")
    assert engine.image(command(by_hand, tiny("sd1"))).pixels == expected


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
def test_clip_skip_reads_an_earlier_layer(engine: EngineChild, tiny: Tiny, kind: str) -> None:
    skip = {"sd1": 2, "sdxl": 3}[kind]
    wish = request(clip_skip=skip)
    pipe = Bare(tiny(kind), wish)
    (words, pooled), (negative, negative_pooled) = (pipe.early(text) for text in ("a red cat", "blue"))
    expected = pipe.pixels([words], [negative], (pooled, negative_pooled))
    assert engine.image(command(wish, tiny(kind), family=kind)).pixels == expected
    own = replace(wish, clip_skip=skip - 1)
    assert engine.image(command(own, tiny(kind), family=kind)).pixels == bare.pixels(own, tiny(kind))


def test_a_layer_the_encoder_does_not_have_is_one_clear_line(engine: EngineChild, tiny: Tiny) -> None:
    failed = engine.refusal(command(request(clip_skip=9), tiny("sd1")))
    assert failed.message == "clip skip: 9 is not possible; a whole number from 1 to 3 with this model."


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
@pytest.mark.parametrize(("prompt", "change"), [("a [red:blue:2] cat", 2), ("a [red:blue:0.5] cat", 2)])
def test_words_change_at_their_step(engine: EngineChild, tiny: Tiny, kind: str, prompt: str, change: int) -> None:
    wish = request(prompt=prompt, negative_prompt="dog", sampler="Euler", steps=4)
    plain = request(prompt="a red cat", negative_prompt="dog", sampler="Euler", steps=4)
    pipe = Bare(tiny(kind), plain)
    red, blue, negative = (pipe.encode(text) for text in ("a red cat", "a blue cat", "dog"))

    def swap(pipeline: Any, step: int, timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        if step == change - 1:
            values["prompt_embeds"] = torch.cat([negative[0], blue[0]])
            if pipe.xl:
                values["add_text_embeds"] = torch.cat([negative[1], blue[1]])
        return values

    inputs = ["prompt_embeds", *(["add_text_embeds"] if pipe.xl else [])]
    original = pipe.pipe.scheduler
    try:
        pipe.pipe.scheduler = bare._scheduler(wish, original)
        pooled = (red[1], negative[1])
        expected = pipe.pixels(
            [red[0]], [negative[0]], pooled, callback_on_step_end=swap, callback_on_step_end_tensor_inputs=inputs
        )
    finally:
        pipe.pipe.scheduler = original
    assert engine.image(command(wish, tiny(kind), family=kind)).pixels == expected
    assert expected != bare.pixels(plain, tiny(kind))


def test_words_that_change_go_on_where_they_were(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    wish = request(prompt="a [red:blue:0.5] [cat|dog] [(far:1.3)::0.9]", steps=60, sampler="DPM++ 2M SDE")
    asked = command(wish, tiny("sd1"), snapshot=str(tmp_path / "image.safetensors"))
    whole = engine.image(asked)
    engine.send(asked)
    engine.until(Step)
    engine.send(Pause(job=asked.job))
    paused = engine.until(Paused)
    engine.until(Idle)
    again = engine.image(replace(asked, resume=paused.snapshot))
    assert again.resumed_at == paused.step < 60
    assert again.pixels == whole.pixels


@pytest.mark.parametrize("prompt", ["a (weighed:1.3) prompt BREAK twice", "a [red:blue:2] prompt twice", "plain twice"])
def test_a_repeated_prompt_is_never_encoded_again(engine: EngineChild, tiny: Tiny, prompt: str) -> None:
    first = only(engine.run(command(request(prompt=prompt), tiny("sd1"))), Idle)
    again = only(engine.run(command(request(prompt=prompt, seed=8, use_cache=False), tiny("sd1"))), Idle)
    assert again.text_encodings == first.text_encodings
    assert again.denoiser_calls > first.denoiser_calls


def test_words_that_say_the_same_are_encoded_once(engine: EngineChild, tiny: Tiny) -> None:
    before = only(engine.run(command(request(prompt="warm"), tiny("sd1"))), Idle)
    after = only(engine.run(command(request(prompt="[one|two] and [one|two]", steps=12), tiny("sd1"))), Idle)
    assert after.text_encodings == before.text_encodings + 2


@pytest.mark.parametrize("kind", ["sd3", "flux"])
def test_a_model_without_weights_reads_the_words_and_says_so(engine: EngineChild, tiny: Tiny, kind: str) -> None:
    wish = request(prompt="a (red:1.4) [cat:dog:0.5]", clip_skip=2)
    image = engine.image(command(wish, tiny(kind), family=kind))
    assert image.pixels == bare.pixels(replace(wish, prompt="a red cat"), tiny(kind))
    assert image.notes == [
        "weights in the prompt are left out: this model reads plain text",
        "clip skip is left out: this model has none",
    ]
    assert engine.image(command(request(prompt="a red cat"), tiny(kind), family=kind)).notes == []
