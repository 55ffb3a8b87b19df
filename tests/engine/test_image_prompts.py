"""IP-Adapters: the same bytes as the libraries' own pipelines with one, and nothing left behind."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from PIL import Image as Picture
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessorPil, CLIPVisionModelWithProjection

from imagegen_desktop.domain.request import (
    REFERENCE_SIDE,
    Control,
    GenerationRequest,
    ImagePrompt,
    LoraWeight,
    SourceImage,
)
from imagegen_desktop.protocol.messages import Generate, Idle, Pause, Paused, Step
from tests import tiny_additions
from tests.engine import bare
from tests.engine.engine_child import SIDE, EngineChild, command, gradient, request, task_request
from tests.tiny_additions import extra

Tiny = Callable[[str], Path]

_SOURCE = SourceImage(sha256="2" * 64, width=REFERENCE_SIDE, height=REFERENCE_SIDE)
_WAVES = ((x * 7 % 256, y * 3 % 256, x * y // 64 % 256) for y in range(REFERENCE_SIDE) for x in range(REFERENCE_SIDE))
REFERENCE = bytes(level for colours in _WAVES for level in colours)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_additions.image_encoder(tmp_path_factory.mktemp("encoders") / "image_encoder")


@pytest.fixture(scope="module")
def adapter(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    shelf = tmp_path_factory.mktemp("adapters")

    def one(family: str, layout: str = "base") -> Path:
        place = shelf / f"{family}-{layout}.safetensors"
        return place if place.is_file() else tiny_additions.ip_adapter(tiny(family), place, layout)

    return one


def prompted(task: str = "text", **changes: Any) -> GenerationRequest:
    return task_request(task, image_prompts=(ImagePrompt(model="mine", image=_SOURCE, **changes),), sampler="Euler")


def asked(wish: GenerationRequest, model: Path, adapter: Path, encoder: Path, **changes: Any) -> Generate:
    extras = [extra("ip-adapter", adapter), extra("image-encoder", encoder)]
    references = REFERENCE * len(wish.image_prompts)
    return command(wish, model, **{"extras": extras, "references": references} | changes)


def bare_pixels(wish: GenerationRequest, folder: Path, adapter: Path, encoder: Path) -> bytes:
    """What the library's own pipeline makes of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = bare.kind_for(folder, wish.task)
        options = bare.WITHOUT_CHECKER.get(kind.__name__, {})
        pipeline = kind.from_pretrained(folder, local_files_only=True, **options)
        return shown_to(pipeline, wish, adapter, encoder)


def shown_to(pipeline: Any, wish: GenerationRequest, adapter: Path, encoder: Path, **more: Any) -> bytes:
    """What a pipeline makes of the request when it is shown the picture through the adapter."""
    pipeline.set_progress_bar_config(disable=True)
    pipeline.register_modules(
        image_encoder=CLIPVisionModelWithProjection.from_pretrained(encoder, local_files_only=True),
        feature_extractor=CLIPImageProcessorPil(size=32, crop_size=32),
    )
    pipeline.load_ip_adapter(str(adapter.parent), subfolder="", weight_name=adapter.name, local_files_only=True)
    pipeline.set_ip_adapter_scale(wish.image_prompts[0].weight)
    pipeline.scheduler = bare._scheduler(wish, pipeline.scheduler)
    picture = Picture.frombytes("RGB", (REFERENCE_SIDE, REFERENCE_SIDE), REFERENCE)
    torch.manual_seed(wish.seed or 0)
    told = bare._arguments(wish, type(pipeline).__name__)
    drawn: Picture.Image = pipeline(**told, ip_adapter_image=picture, **more).images[0]
    return drawn.tobytes()


CASES = [("sd1", "base", "text"), ("sd1", "plus", "image"), ("sd1", "full", "inpaint"),
         ("sdxl", "base", "inpaint"), ("sdxl", "plus", "text"), ("sd2", "base", "text")]  # fmt: skip


@pytest.mark.parametrize(("family", "layout", "task"), CASES)
def test_it_is_the_librarys_own_pipeline_to_the_byte(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path, family: str, layout: str, task: str
) -> None:
    model, file, wish = tiny(family), adapter(family, layout), prompted(task, weight=0.7)
    expected = bare_pixels(wish, model, file, encoder)
    free = task_request(task, sampler="Euler")
    without = bare.pixels(free, model)
    assert engine.image(asked(wish, model, file, encoder, family=family)).pixels == expected != without
    silent = prompted(task, weight=0.0)
    assert engine.image(asked(silent, model, file, encoder, family=family)).pixels == without
    assert engine.image(command(free, model, family=family)).pixels == without


def test_without_guidance_only_the_picture_itself_is_told(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path
) -> None:
    wish = replace(prompted(), guidance=1.0)
    expected = bare_pixels(wish, tiny("sd1"), adapter("sd1"), encoder)
    assert engine.image(asked(wish, tiny("sd1"), adapter("sd1"), encoder)).pixels == expected


def test_two_at_once_say_the_sum_and_another_picture_says_something_else(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path
) -> None:
    half, model = ImagePrompt(model="mine", image=_SOURCE, weight=0.5), tiny("sd1")
    twice = asked(request(image_prompts=(half, half), sampler="Euler"), model, adapter("sd1"), encoder)
    once = engine.image(asked(prompted(), model, adapter("sd1"), encoder)).pixels
    assert max(abs(a - b) for a, b in zip(engine.image(twice).pixels, once, strict=True)) <= 1
    reversed_picture = asked(prompted(), model, adapter("sd1"), encoder, references=REFERENCE[::-1])
    assert engine.image(reversed_picture).pixels != once


def test_outside_its_share_of_the_steps_it_is_silent(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path
) -> None:
    wishes = prompted(start=0.5), prompted(end=0.5), prompted()
    drawn = {engine.image(asked(wish, tiny("sd1"), adapter("sd1"), encoder)).pixels for wish in wishes}
    assert len(drawn) == 3
    never = prompted(start=0.9)  # of four steps none lies wholly behind it
    plain = bare.pixels(request(sampler="Euler"), tiny("sd1"))
    assert engine.image(asked(never, tiny("sd1"), adapter("sd1"), encoder)).pixels == plain


def test_it_acts_beside_a_lora(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path, tmp_path: Path
) -> None:
    model, file = tiny("sd1"), tiny_additions.lora(tiny("sd1"), tmp_path / "lora.safetensors")
    wish = replace(prompted(), loras=(LoraWeight(name="mine", weight=0.5),))
    alone = engine.image(asked(prompted(), model, adapter("sd1"), encoder)).pixels
    both = asked(wish, model, adapter("sd1"), encoder)
    both = replace(both, extras=[*both.extras, extra("lora", file)])
    drawn = engine.image(both).pixels
    assert drawn not in (alone, bare.pixels(request(sampler="Euler"), model))
    assert engine.image(asked(prompted(), model, adapter("sd1"), encoder)).pixels == alone
    assert engine.image(both).pixels == drawn


@pytest.mark.parametrize(("made_for", "family"), [("sdxl", "sd1"), ("sd1", "sdxl"), ("sd1", "flux")])
def test_one_for_another_model_is_one_line_and_changes_nothing(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path, made_for: str, family: str
) -> None:
    said = engine.refusal(asked(prompted(), tiny(family), adapter(made_for), encoder, family=family))
    assert said.kind == "bad_input"
    assert said.message.startswith("IP-Adapter: 'mine' is not possible; ")
    plain = request(sampler="Euler")
    assert engine.image(command(plain, tiny(family), family=family)).pixels == bare.pixels(plain, tiny(family))


def test_an_image_encoder_of_another_width_is_one_line(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], tmp_path: Path
) -> None:
    other = tiny_additions.image_encoder(tmp_path / "image_encoder", hidden=16, projection=16)
    for layout in ("base", "plus"):
        said = engine.refusal(asked(prompted(), tiny("sd1"), adapter("sd1", layout), other))
        assert said.message == "IP-Adapter: 'mine' is not possible; it was trained with another image encoder."
    plain = request(sampler="Euler")
    assert engine.image(command(plain, tiny("sd1"))).pixels == bare.pixels(plain, tiny("sd1"))


def test_an_image_encoder_may_be_one_file(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tiny_additions.image_encoder(tmp_path / "image_encoder", heads=16)
    file = tmp_path / "CLIP-ViT.safetensors"
    save_file(load_file(folder / "model.safetensors"), file)
    whole = engine.image(asked(prompted(), tiny("sd1"), adapter("sd1"), folder)).pixels
    assert engine.image(asked(prompted(), tiny("sd1"), adapter("sd1"), file)).pixels == whole


def test_a_job_with_one_is_paused_and_resumed_as_any_other(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path, tmp_path: Path
) -> None:
    wish = replace(prompted("image"), steps=200, sampler="Euler a")
    place = str(tmp_path / "image.safetensors")
    engine.send(going := asked(wish, tiny("sd1"), adapter("sd1"), encoder, snapshot=place))
    engine.until(Step)
    engine.send(Pause(job=going.job))
    paused = engine.until(Paused)
    engine.until(Idle)
    again = engine.image(replace(going, resume=paused.snapshot))
    assert again.resumed_at == paused.step
    assert again.pixels == engine.image(replace(going, snapshot="")).pixels
    other = replace(wish, image_prompts=(replace(wish.image_prompts[0], weight=0.4),))
    begun = engine.image(replace(going, resume=paused.snapshot, request=other.to_dict()))
    assert begun.resumed_at is None


def test_the_size_of_the_picture_drawn_has_nothing_to_do_with_it(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path
) -> None:
    wish = replace(prompted(), width=2 * SIDE, hires_factor=1.5, hires_strength=0.5)
    drawn = engine.image(asked(wish, tiny("sd1"), adapter("sd1"), encoder))
    assert (drawn.width, drawn.height) == (3 * SIDE, 3 * SIDE // 2)


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_it_acts_beside_a_controlnet(
    engine: EngineChild, tiny: Tiny, adapter: Callable[..., Path], encoder: Path, tmp_path: Path, family: str
) -> None:
    model, net = tiny(family), tiny_additions.controlnet(tiny(family), tmp_path / "net")
    wish = replace(prompted(weight=0.7), controls=(Control(model="mine", image=_SOURCE, weight=0.6),))
    both = asked(wish, model, adapter(family), encoder, family=family, conditions=gradient())
    both = replace(both, extras=[*both.extras, extra("controlnet", net)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        beside = diffusers.ControlNetModel.from_pretrained(net, local_files_only=True)
        title = "StableDiffusionXL" if family == "sdxl" else "StableDiffusion"
        pipeline = getattr(diffusers, f"{title}ControlNetPipeline").from_pretrained(
            model, controlnet=beside, local_files_only=True, **bare.WITHOUT_CHECKER.get(f"{title}Pipeline", {})
        )
        shapes = Picture.frombytes("RGB", (SIDE, SIDE), gradient())
        expected = shown_to(pipeline, wish, adapter(family), encoder, image=shapes, controlnet_conditioning_scale=0.6)
    assert engine.image(both).pixels == expected
