"""LoRAs, embeddings and other autoencoders: what each changes, and that without it nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagegen_desktop.domain.request import GenerationRequest, LoraWeight
from imagegen_desktop.engine.desk import Desk
from imagegen_desktop.engine.generate import Engine
from imagegen_desktop.protocol.messages import (
    Event,
    Idle,
    Image,
    Pause,
    Paused,
    Start,
    Step,
)
from tests import tiny_additions
from tests.engine import bare
from tests.engine.engine_child import EngineChild, command, only, request
from tests.tiny_additions import extra

Tiny = Callable[[str], Path]


def with_loras(*weights: tuple[str, float], **changes: Any) -> GenerationRequest:
    return request(loras=tuple(LoraWeight(name=name, weight=weight) for name, weight in weights), **changes)


# ---- LoRA -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux"])
def test_a_lora_draws_as_the_bare_pipeline_with_it_and_leaves_the_base_as_it_was(
    engine: EngineChild, tiny: Tiny, tmp_path: Path, family: str
) -> None:
    model, file = tiny(family), tiny_additions.lora(tiny(family), tmp_path / "mine.safetensors")
    added = {"family": family, "extras": [extra("lora", file)]}
    base, wish = request(), with_loras(("mine", 0.8))
    before = engine.image(command(base, model, family=family)).pixels
    with bare.lora(model, file, 0.8):
        expected = bare.pixels(base, model)
    assert engine.image(command(wish, model, **added)).pixels == expected != before
    assert engine.image(command(with_loras(("mine", 0.0)), model, **added)).pixels == before
    assert engine.image(command(base, model, family=family)).pixels == before == bare.pixels(base, model)


def test_the_layout_of_kohya_is_read_with_its_alphas(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    file = tiny_additions.lora(tiny("sd1"), tmp_path / "mine.safetensors", layout="kohya")
    with bare.lora(tiny("sd1"), file, 0.5):
        expected = bare.pixels(request(), tiny("sd1"))
    drawn = engine.image(command(with_loras(("mine", 0.5)), tiny("sd1"), extras=[extra("lora", file)]))
    assert drawn.pixels == expected


def test_two_loras_act_at_once_each_with_its_weight(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    model = tiny("sd1")
    files = [tiny_additions.lora(model, tmp_path / f"{name}.safetensors", seed=seed) for seed, name in enumerate("ab")]
    extras = [extra("lora", file, file.stem) for file in files]
    with bare.lora(model, files[0], 0.7), bare.lora(model, files[1], -0.4):
        expected = bare.pixels(request(), model)
    assert engine.image(command(with_loras(("a", 0.7), ("b", -0.4)), model, extras=extras)).pixels == expected
    alone = engine.image(command(with_loras(("b", -0.4)), model, extras=extras)).pixels
    with bare.lora(model, files[1], -0.4):
        assert alone == bare.pixels(request(), model) != expected


def test_what_a_load_draws_by_chance_does_not_reach_the_picture(tiny: Tiny, tmp_path: Path) -> None:
    """LCM draws from the same source; the second picture loads nothing."""
    model, file = tiny("flux"), tiny_additions.lora(tiny("flux"), tmp_path / "mine.safetensors")
    events: list[Event] = []
    engine = Engine(Start(device="cpu", threads=1), lambda *told: events.extend(told))
    asked = command(with_loras(("mine", 0.8), sampler="LCM"), model, family="flux", extras=[extra("lora", file)])
    for _ in range(2):
        engine.generate(asked, Desk())
    first, second = (event.pixels for event in events if isinstance(event, Image))
    assert first == second
    engine.close()


def test_the_text_encoder_may_weigh_it_otherwise(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    model, file = tiny("sd1"), tiny_additions.lora(tiny("sd1"), tmp_path / "whole.safetensors")
    only_unet = tiny_additions.lora(tiny("sd1"), tmp_path / "unet.safetensors", text=False)
    wish = replace(request(), loras=(LoraWeight(name="mine", weight=0.8, text_weight=0.0),))
    drawn = engine.image(command(wish, model, extras=[extra("lora", file)])).pixels
    with bare.lora(model, only_unet, 0.8):
        assert drawn == bare.pixels(request(), model)


def test_the_same_set_is_not_put_on_again_and_texts_are_remembered_apart(
    engine: EngineChild, tiny: Tiny, tmp_path: Path
) -> None:
    file = tiny_additions.lora(tiny("sd1"), tmp_path / "mine.safetensors")
    asked = command(with_loras(("mine", 0.8), prompt="known"), tiny("sd1"), extras=[extra("lora", file)])
    plain = engine.run(command(request(prompt="known"), tiny("sd1")))
    first = engine.run(asked)
    encoded = [only(events, Idle).text_encodings for events in (plain, first, engine.run(asked))]
    assert encoded[1] == encoded[0] + 2, "prompt and negative prompt mean something else with it"
    assert encoded[2] == encoded[1]


@pytest.mark.parametrize("made_for", ["sdxl", "sd3", "flux"])
def test_a_lora_for_another_model_is_one_line_and_changes_nothing(
    engine: EngineChild, tiny: Tiny, tmp_path: Path, made_for: str
) -> None:
    model = tiny("sd1")
    good = tiny_additions.lora(model, tmp_path / "good.safetensors")
    bad = tiny_additions.lora(tiny(made_for), tmp_path / "bad.safetensors")
    extras = [extra("lora", good, "good"), extra("lora", bad, "bad")]
    before = engine.image(command(with_loras(("good", 0.8)), model, extras=extras)).pixels
    answer = engine.refusal(command(with_loras(("good", 0.8), ("bad", 0.5)), model, extras=extras))
    assert (answer.kind, "\n" in answer.message) == ("bad_input", False)
    assert answer.message == "LoRA: 'bad' is not possible; it was made for another kind of model than the chosen one."
    assert engine.image(command(with_loras(("good", 0.8)), model, extras=extras)).pixels == before
    assert engine.image(command(request(), model)).pixels == bare.pixels(request(), model)


@pytest.mark.parametrize("content", [b"", b"nothing", b"\xff" * 200])
def test_a_broken_lora_is_one_line(engine: EngineChild, tiny: Tiny, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.safetensors").write_bytes(content)
    extras = [extra("lora", tmp_path / "mine.safetensors")]
    answer = engine.refusal(command(with_loras(("mine", 1.0)), tiny("sd1"), extras=extras))
    assert answer.kind == "model"
    assert "mine.safetensors" in answer.message
    assert "\n" not in answer.message
    gone = engine.refusal(command(with_loras(("mine", 1.0)), tiny("sd1")))
    assert gone.message == "The LoRA mine is not there any more."


def test_text_layers_without_an_output_are_left_out_in_so_many_words(
    engine: EngineChild, tiny: Tiny, tmp_path: Path
) -> None:
    file = tiny_additions.lora(tiny("sd1"), tmp_path / "mine.safetensors", layout="kohya", ends=(".q_proj.weight",))
    drawn = engine.image(command(with_loras(("mine", 1.0)), tiny("sd1"), extras=[extra("lora", file)]))
    assert drawn.pixels != bare.pixels(request(), tiny("sd1"))


def test_a_snapshot_belongs_to_the_content_of_its_lora(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    file = tiny_additions.lora(tiny("sd1"), tmp_path / "mine.safetensors")
    wish = with_loras(("mine", 0.8), steps=200, sampler="DDIM")
    asked = command(wish, tiny("sd1"), extras=[extra("lora", file)], snapshot=str(tmp_path / "image.safetensors"))
    engine.send(asked)
    engine.until(Step)
    engine.send(Pause(job=asked.job))
    snapshot = engine.until(Paused).snapshot
    engine.until(Idle)
    resumed = engine.image(replace(asked, resume=snapshot))
    assert resumed.resumed_at
    assert resumed.pixels == engine.image(asked).pixels
    tiny_additions.lora(tiny("sd1"), file, seed=77)
    other = engine.image(replace(asked, resume=snapshot))
    assert other.resumed_at is None
    assert other.pixels != resumed.pixels


def test_an_image_tells_what_its_loras_are(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    import hashlib

    file = tiny_additions.lora(tiny("sd1"), tmp_path / "mine.safetensors")
    content = file.read_bytes()
    tensors = content[8 + int.from_bytes(content[:8], "little") :]
    drawn = engine.image(command(with_loras(("mine", 0.5)), tiny("sd1"), extras=[extra("lora", file)]))
    assert drawn.hashes == {"lora:mine": hashlib.sha256(tensors).hexdigest()[:12]}


# ---- textual inversion ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["a1111", "diffusers"])
def test_a_word_stands_for_its_vectors_as_in_the_bare_pipeline(
    engine: EngineChild, tiny: Tiny, tmp_path: Path, layout: str
) -> None:
    model, file = tiny("sd1"), tiny_additions.embedding(tmp_path / "mine.safetensors", layout=layout)
    plain = request(prompt="a mine in the rain", negative_prompt="MINE, blue")
    wish = replace(plain, embeddings=("mine",))
    before = engine.image(command(plain, model)).pixels
    with bare.embedding(model, file, "mine"):
        expected = bare.pixels(replace(plain, negative_prompt="mine, blue"), model)
    assert engine.image(command(wish, model, extras=[extra("embedding", file)])).pixels == expected != before
    assert engine.image(command(plain, model)).pixels == before == bare.pixels(plain, model)


def test_a_word_of_two_encoders_has_vectors_for_both(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    file = tiny_additions.embedding(tmp_path / "mine.safetensors", layout="sdxl")
    plain = request(prompt="a mine")
    drawn = engine.image(
        command(replace(plain, embeddings=("mine",)), tiny("sdxl"), family="sdxl", extras=[extra("embedding", file)])
    )
    base = engine.image(command(plain, tiny("sdxl"), family="sdxl"))
    assert drawn.pixels != base.pixels == bare.pixels(plain, tiny("sdxl"))


def test_words_and_loras_go_together(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    model = tiny("sd1")
    word = tiny_additions.embedding(tmp_path / "word.safetensors")
    lora = tiny_additions.lora(model, tmp_path / "lora.safetensors")
    wish = replace(with_loras(("lora", 0.6), prompt="a word"), embeddings=("word",))
    extras = [extra("embedding", word, "word"), extra("lora", lora, "lora")]
    with bare.embedding(model, word, "word"), bare.lora(model, lora, 0.6):
        expected = bare.pixels(request(prompt="a word"), model)
    assert engine.image(command(wish, model, extras=extras)).pixels == expected


@pytest.mark.parametrize(
    ("family", "layout", "width"), [("sd1", "a1111", 48), ("sdxl", "a1111", 32), ("sd1", "sdxl", 32)]
)
def test_an_embedding_of_another_width_is_one_line_and_changes_nothing(
    engine: EngineChild, tiny: Tiny, tmp_path: Path, family: str, layout: str, width: int
) -> None:
    file = tiny_additions.embedding(tmp_path / "mine.safetensors", width=width, layout=layout)
    wish = request(prompt="a mine", embeddings=("mine",))
    answer = engine.refusal(command(wish, tiny(family), family=family, extras=[extra("embedding", file)]))
    assert answer.kind == "bad_input"
    assert "embedding: 'mine' is not possible; it was made for another kind of model" in answer.message
    plain = request(prompt="a mine")
    assert engine.image(command(plain, tiny(family), family=family)).pixels == bare.pixels(plain, tiny(family))


def test_a_family_without_words_of_its_own_says_so(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    file = tiny_additions.embedding(tmp_path / "mine.safetensors")
    wish = request(embeddings=("mine",))
    answer = engine.refusal(command(wish, tiny("flux"), family="flux", extras=[extra("embedding", file)]))
    assert answer.message == "embedding: 'mine' is not possible; this kind of model knows none."


# ---- another autoencoder ----------------------------------------------------------------------------------


@pytest.mark.parametrize("single", [False, True])
def test_another_autoencoder_decodes_and_the_models_own_comes_back(
    engine: EngineChild, tiny: Tiny, tmp_path: Path, single: bool
) -> None:
    model, folder = tiny("sd1"), tiny_additions.autoencoder(tmp_path / "vae")
    file = folder / "diffusion_pytorch_model.safetensors" if single else folder
    with bare.autoencoder(model, folder):
        expected = bare.pixels(request(), model)
    drawn = engine.image(command(request(vae="mine"), model, extras=[extra("vae", file)]))
    assert drawn.pixels == expected
    assert engine.image(command(request(), model)).pixels == bare.pixels(request(), model) != expected


def test_an_autoencoder_of_other_latents_is_one_line(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    folder = tiny_additions.autoencoder(tmp_path / "vae", channels=16)
    answer = engine.refusal(command(request(vae="mine"), tiny("sd1"), extras=[extra("vae", folder)]))
    assert answer.message == "VAE: 'mine' is not possible; its latents have 16 channels, this model's have 4."
    assert engine.image(command(request(), tiny("sd1"))).pixels == bare.pixels(request(), tiny("sd1"))
