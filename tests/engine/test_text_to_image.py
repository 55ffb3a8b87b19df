"""Text to image over the pipe of a real engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imagegen_desktop.protocol.messages import (
    Cancel,
    Cancelled,
    Decoding,
    Idle,
    Image,
    Loading,
    Preview,
    Started,
    Step,
    Unload,
)
from tests.engine import bare
from tests.engine.engine_child import SIDE, EngineChild, command, only, request

Tiny = Callable[[str], Path]


@pytest.mark.parametrize("kind", ["sd1", "sd2", "starter"])
def test_the_image_is_the_bare_pipelines_to_the_byte(engine: EngineChild, tiny: Tiny, kind: str) -> None:
    wish = request(prompt="zwölf Boxkämpfer", seed=2**64 - 1)
    image = engine.image(command(wish, tiny(kind), family=kind))
    assert (image.width, image.height, image.seed) == (SIDE, SIDE, 2**64 - 1)
    assert image.pixels == bare.pixels(wish, tiny(kind))


@pytest.mark.parametrize(
    "changes",
    [
        {"guidance": 1.0},
        {"guidance": 0.0, "negative_prompt": ""},
        {"width": 96, "height": 32},
        {"steps": 1},
        {"style_prompt": "{prompt}, oil on canvas", "style_negative": "photo"},
    ],
    ids=str,
)
def test_every_shape_of_request_is_the_bare_pipelines(engine: EngineChild, tiny: Tiny, changes: dict[str, Any]) -> None:
    wish = request(**changes)
    assert engine.image(command(wish, tiny("sd1"))).pixels == bare.pixels(wish, tiny("sd1"))


def test_events_tell_the_story_in_order(engine: EngineChild, tiny: Tiny) -> None:
    events = engine.run(command(request(steps=3, prompt="never asked before", sampler="Euler"), tiny("sd1")))
    kinds = [type(event) for event in events if not isinstance(event, Loading)]
    assert kinds == [Started, Step, Preview, Step, Preview, Step, Preview, Decoding, Image, Idle]
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3]
    assert {event.steps for event in events if isinstance(event, Started | Step)} == {3}
    assert "encoding prompt" in {event.phase for event in events if isinstance(event, Loading)}


def test_previews_are_small_and_whole(engine: EngineChild, tiny: Tiny) -> None:
    events = engine.run(command(request(width=64, height=32), tiny("starter"), family="starter"))
    for look in (event for event in events if isinstance(event, Preview)):
        assert (look.width, look.height) == (8, 4)
        assert len(look.pixels) == 8 * 4 * 3


def test_a_repeated_prompt_is_not_encoded_again(engine: EngineChild, tiny: Tiny) -> None:
    first = only(engine.run(command(request(prompt="twice"), tiny("sd1"))), Idle)
    other_seed = only(engine.run(command(request(prompt="twice", seed=8), tiny("sd1"))), Idle)
    other_prompt = only(engine.run(command(request(prompt="once"), tiny("sd1"))), Idle)
    assert other_seed.text_encodings == first.text_encodings
    assert other_prompt.text_encodings == first.text_encodings + 1, "its negative prompt was known"
    assert other_seed.decodings == first.decodings + 1


def test_a_prompt_from_the_cache_makes_the_same_image(engine: EngineChild, tiny: Tiny) -> None:
    wish = request(prompt="again")
    first = engine.image(command(wish, tiny("sd1")))
    assert engine.image(command(wish, tiny("sd1"))).pixels == first.pixels


def test_image_i_of_a_batch_has_seed_plus_i(engine: EngineChild, tiny: Tiny) -> None:
    batch = request(count=3, seed=40)
    third = engine.image(command(batch.only(2), tiny("sd1"), index=2))
    assert (third.seed, third.index) == (42, 2)
    assert third.pixels == bare.pixels(request(seed=42), tiny("sd1"))


def test_the_second_image_knows_its_models_hash(engine: EngineChild, tiny: Tiny) -> None:
    engine.image(command(request(), tiny("sd1")))
    hashes = {engine.image(command(request(seed=seed), tiny("sd1"))).model_hash for seed in (1, 2)}
    assert len(hashes) == 1
    assert len(hashes.pop()) == 64


def test_a_cancelled_job_leaves_within_a_step_and_decodes_nothing(engine: EngineChild, tiny: Tiny) -> None:
    before = only(engine.run(command(request(), tiny("sd1"))), Idle)
    engine.send(command(request(steps=500, sampler="DDIM"), tiny("sd1"), job="long"))
    engine.until(Step)
    engine.send(Cancel(job="long"))
    events: list[object] = []
    left = engine.until(Cancelled, events)
    after = engine.until(Idle)
    assert left.step < 500
    assert after.decodings == before.decodings
    assert not any(isinstance(event, Image | Decoding) for event in events)


def test_a_waiting_job_is_cancelled_before_it_begins(engine: EngineChild, tiny: Tiny) -> None:
    engine.send(command(request(steps=500, sampler="DDIM"), tiny("sd1"), job="running"))
    engine.until(Started)
    engine.send(command(request(), tiny("sd1"), job="waiting", index=4))
    engine.send(Cancel(job="waiting"))
    assert engine.until(Cancelled) == Cancelled(job="waiting", index=4)
    engine.send(Cancel(job="running"))
    assert engine.until(Cancelled).job == "running"
    engine.until(Idle)


def test_after_a_cancel_the_next_image_is_right(engine: EngineChild, tiny: Tiny) -> None:
    engine.send(command(request(steps=500, sampler="DDIM"), tiny("sd1"), job="left"))
    engine.until(Step)
    engine.send(Cancel(job="left"))
    engine.until(Idle)
    assert engine.image(command(request(), tiny("sd1"))).pixels == bare.pixels(request(), tiny("sd1"))


def test_cancelling_what_is_not_there_changes_nothing(engine: EngineChild, tiny: Tiny) -> None:
    engine.send(Cancel(job="nobody"))
    assert engine.image(command(request(), tiny("sd1"))).pixels


def test_a_missing_model_is_one_exact_line(engine: EngineChild, tmp_path: Path) -> None:
    failed = engine.refusal(command(request(), tmp_path / "nothing"))
    assert failed.kind == "model"
    assert failed.message == f"There is no model at {tmp_path / 'nothing'}."


def test_a_damaged_model_is_one_exact_line(engine: EngineChild, tmp_path: Path) -> None:
    from tests import tiny_models

    model = tiny_models.build("sd1", tmp_path / "broken")
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    failed = engine.refusal(command(request(), model))
    assert failed.kind == "model"
    assert failed.message.startswith("broken: diffusion_pytorch_model.safetensors is no sound safetensors file")
    assert "\n" not in failed.message
    assert "Traceback" in failed.detail


def test_an_unknown_sampler_or_device_says_what_there_is(engine: EngineChild, tiny: Tiny) -> None:
    assert "Euler a" in engine.refusal(command(request(sampler="Nonsense"), tiny("sd1"))).message
    assert "cpu" in engine.refusal(command(request(device="cuda:99"), tiny("sd1"))).message


def test_a_model_that_only_inpaints_says_so(engine: EngineChild, tiny: Tiny) -> None:
    failed = engine.refusal(command(request(), tiny("sd1-inpaint")))
    assert (failed.kind, failed.message) == ("model", "This model only paints inside a mask.")


def test_a_changed_model_is_loaded_again(engine: EngineChild, tmp_path: Path) -> None:
    import shutil

    from tests import tiny_models

    model = tiny_models.build("sd1", tmp_path / "first")
    before = engine.image(command(request(), model))
    other = tiny_models.build("sd1", tmp_path / "second", seed=5)
    shutil.rmtree(model)
    shutil.move(other, model)
    assert engine.image(command(request(), model)).pixels != before.pixels


def test_unload_forgets_the_model(engine: EngineChild, tiny: Tiny) -> None:
    assert only(engine.run(command(request(), tiny("sd1"))), Idle).model == str(tiny("sd1"))
    engine.send(Unload())
    assert engine.until(Idle).model == ""
