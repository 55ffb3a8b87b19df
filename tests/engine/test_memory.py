"""What is kept: models between jobs, texts between prompts; and what an error means for the process."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from imagegen_desktop.engine.conditioning import TextCache
from imagegen_desktop.engine.desk import Desk
from imagegen_desktop.engine.failures import context_is_lost, failed
from imagegen_desktop.engine.generate import Engine
from imagegen_desktop.engine.preview import colours_of
from imagegen_desktop.engine.tallies import Tallies
from imagegen_desktop.protocol.messages import Event, Loading, Start
from tests import tiny_models
from tests.engine.engine_child import command, request

Tiny = Callable[[str], Path]


def loads(events: list[Event]) -> int:
    return sum(isinstance(event, Loading) and event.phase == "loading model" for event in events)


def test_the_model_used_before_comes_back_without_the_disk(tiny: Tiny) -> None:
    events: list[Event] = []
    engine = Engine(Start(device="cpu", threads=1), lambda *told: events.extend(told))

    def draw(kind: str) -> int:
        before = loads(events)
        engine.generate(command(request(steps=1), tiny(kind), family=kind), Desk())
        return loads(events) - before

    assert [draw(kind) for kind in ("sd1", "sd1", "sd2", "sd1", "sd2")] == [1, 0, 1, 0, 0]
    assert [draw(kind) for kind in ("starter", "sd2", "sd1")] == [1, 0, 1], "two are kept, not three"
    engine.unload()
    assert engine.idle().model == ""
    assert draw("sd1") == 1
    engine.close()


def test_a_model_that_is_let_go_is_gone_before_the_next_one_is_read(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once may not fit, and the next one's place is chosen by what is free."""
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel

    folder = Path(shutil.copytree(tiny("sd1"), tmp_path / "model"))
    engine = Engine(Start(device="cpu", threads=1), lambda *told: None)
    at_reading: list[int] = []
    read = StableDiffusionPipeline.from_pretrained

    def counted(*args: Any, **options: Any) -> Any:
        at_reading.append(sum(type(each) is UNet2DConditionModel for each in gc.get_objects()))
        return read(*args, **options)

    monkeypatch.setattr(StableDiffusionPipeline, "from_pretrained", counted)
    gc.collect()
    gc.disable()
    try:
        for second in range(3):
            os.utime(folder / "model_index.json", (second, second))
            engine.generate(command(request(steps=1), folder), Desk())
    finally:
        gc.enable()
    assert len(set(at_reading)) == 1, f"networks in memory: {at_reading}"
    assert len(at_reading) == 3
    engine.close()


# ---- texts ------------------------------------------------------------------------------------------------


def watched(most_bytes: int) -> tuple[Any, Tallies, TextCache]:
    encoder = SimpleNamespace(forward=lambda tokens, **options: (tokens.float() + 0.5,))
    tallies = Tallies()
    cache = TextCache(tallies, most_bytes)
    cache.watch("text_encoder", encoder)
    return encoder, tallies, cache


def test_the_same_tokens_and_options_are_encoded_once() -> None:
    encoder, tallies, _ = watched(10_000)
    tokens = torch.arange(8)
    first = encoder.forward(tokens, skip=1)
    assert encoder.forward(tokens.clone(), skip=1) is first
    encoder.forward(tokens, skip=2)
    encoder.forward(tokens + 1, skip=1)
    assert tallies.text_encodings == 3


def test_the_oldest_text_is_forgotten_first() -> None:
    encoder, tallies, _ = watched(2 * 8 * 4)
    for text in (1, 2, 1, 3, 1):
        encoder.forward(torch.full((8,), text))
    assert tallies.text_encodings == 3, "1 was used again and stayed"
    encoder.forward(torch.full((8,), 2))
    assert tallies.text_encodings == 4


# ---- colours ----------------------------------------------------------------------------------------------


def test_measured_colours_leave_chance_alone_and_are_finite() -> None:
    torch.manual_seed(3)
    vae = tiny_models.shifted_autoencoder(16)
    state = torch.get_rng_state()
    matrix, bias = colours_of(vae, None, vae.device)
    assert torch.equal(torch.get_rng_state(), state)
    assert matrix.shape == (16, 3)
    assert bias.shape == (3,)
    assert matrix.isfinite().all()


# ---- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (RuntimeError("CUDA error: an illegal memory access was encountered"), True),
        (torch.OutOfMemoryError("CUDA out of memory"), False),
        (RuntimeError("shapes do not match"), False),
    ],
)
def test_only_a_broken_card_ends_the_process(error: Exception, lost: bool) -> None:
    assert context_is_lost(error) is lost


def test_an_error_without_words_is_named() -> None:
    assert failed("job", AssertionError()).message == "AssertionError"
