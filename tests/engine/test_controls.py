"""ControlNets: the same bytes as the libraries' own pipelines for them, and nothing left behind."""

from __future__ import annotations

import gc
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from PIL import Image as Picture

from imagegen_desktop.domain.request import Control, GenerationRequest, SourceImage
from imagegen_desktop.engine.desk import Desk
from imagegen_desktop.engine.generate import Engine
from imagegen_desktop.protocol.messages import Cancel, Cancelled, Generate, Idle, Pause, Paused, Start, Step
from tests import tiny_additions
from tests.engine import bare
from tests.engine.engine_child import SIDE, EngineChild, command, gradient, left_half, request, task_request
from tests.tiny_additions import extra

Tiny = Callable[[str], Path]

SHAPES = bytes(255 * ((x // 8 + y // 8) % 2) for y in range(SIDE) for x in range(SIDE) for _ in range(3))
_SOURCE = SourceImage(sha256="1" * 64, width=SIDE, height=SIDE)

#: The library's own pipeline for each family and task; SD 3 has none that starts from a picture.
CLASSES = {
    ("sd1", "text"): "StableDiffusionControlNetPipeline",
    ("sd1", "image"): "StableDiffusionControlNetImg2ImgPipeline",
    ("sd1", "inpaint"): "StableDiffusionControlNetInpaintPipeline",
    ("sdxl", "text"): "StableDiffusionXLControlNetPipeline",
    ("sdxl", "image"): "StableDiffusionXLControlNetImg2ImgPipeline",
    ("sdxl", "inpaint"): "StableDiffusionXLControlNetInpaintPipeline",
    ("sd3", "text"): "StableDiffusion3ControlNetPipeline",
    ("flux", "text"): "FluxControlNetPipeline",
    ("flux", "image"): "FluxControlNetImg2ImgPipeline",
    ("flux", "inpaint"): "FluxControlNetInpaintPipeline",
}

#: Which tiny model stands for a family here.
MODELS = {"sd3": "sd3-deep"}


@pytest.fixture(scope="module")
def net(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    shelf = tmp_path_factory.mktemp("nets")

    def one(family: str) -> Path:
        place = shelf / family
        return place if place.is_dir() else tiny_additions.controlnet(tiny(MODELS.get(family, family)), place)

    return one


def controlled(task: str = "text", **changes: Any) -> GenerationRequest:
    control = Control(model="mine", image=_SOURCE, **changes)
    return task_request(task, controls=(control,), sampler="Euler")


def asked(wish: GenerationRequest, model: Path, net: Path, family: str = "sd1", **changes: Any) -> Generate:
    pictures = SHAPES * len(wish.controls)
    return command(wish, model, family=family, extras=[extra("controlnet", net)], conditions=pictures, **changes)


def bare_pixels(wish: GenerationRequest, folder: Path, net: Path, family: str) -> bytes:
    """What the library's pipeline for ControlNets makes of it."""
    control = wish.controls[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = getattr(diffusers, json.loads((net / "config.json").read_text())["_class_name"])
        options = {"controlnet": kind.from_pretrained(net, local_files_only=True), "local_files_only": True}
        options |= {"safety_checker": None, "requires_safety_checker": False} if family == "sd1" else {}
        pipeline = getattr(diffusers, CLASSES[family, wish.task]).from_pretrained(folder, **options)
        pipeline.set_progress_bar_config(disable=True)
        pipeline.scheduler = bare._scheduler(wish, pipeline.scheduler)
        torch.manual_seed(wish.seed or 0)
        shapes, source = (Picture.frombytes("RGB", (SIDE, SIDE), rows) for rows in (SHAPES, gradient()))
        whole = family in ("sd1", "sdxl") and wish.task == "text"
        arguments: dict[str, Any] = {"image" if whole else "control_image": shapes}
        if wish.task != "text":
            arguments |= {"image": source, "strength": wish.strength}
        if wish.task == "inpaint":
            arguments["mask_image"] = Picture.frombytes("L", (SIDE, SIDE), left_half())
        if family != "flux":
            arguments["negative_prompt"] = wish.full_negative_prompt
        return (
            pipeline(  # type: ignore[no-any-return]
                prompt=wish.full_prompt,
                width=SIDE,
                height=SIDE,
                num_inference_steps=wish.steps,
                guidance_scale=wish.guidance,
                controlnet_conditioning_scale=control.weight,
                control_guidance_start=control.start,
                control_guidance_end=control.end,
                generator=torch.Generator("cpu").manual_seed(wish.seed or 0),
                **arguments,
            )
            .images[0]
            .tobytes()
        )


@pytest.mark.parametrize(("family", "task"), CLASSES)
def test_it_is_the_librarys_own_pipeline_to_the_byte(
    engine: EngineChild, tiny: Tiny, net: Tiny, family: str, task: str
) -> None:
    model, wish = tiny(MODELS.get(family, family)), controlled(task, weight=0.7, start=0.0, end=0.8)
    expected = bare_pixels(wish, model, net(family), family)
    free = task_request(task, sampler="Euler")
    without = bare.pixels(free, model)
    assert engine.image(asked(wish, model, net(family), family)).pixels == expected != without
    silent = controlled(task, weight=0.0)
    assert engine.image(asked(silent, model, net(family), family)).pixels == without
    assert engine.image(command(free, model, family=family)).pixels == without


@pytest.mark.parametrize("task", ["image", "inpaint"])
def test_families_without_such_a_pipeline_are_held_all_the_same(
    engine: EngineChild, tiny: Tiny, net: Tiny, task: str
) -> None:
    drawn = engine.image(asked(controlled(task), tiny("sd3-deep"), net("sd3"), "sd3"))
    free = engine.image(command(task_request(task, sampler="Euler"), tiny("sd3-deep"), family="sd3"))
    assert drawn.pixels != free.pixels


def test_two_at_once_say_the_sum(engine: EngineChild, tiny: Tiny, net: Tiny) -> None:
    half = Control(model="mine", image=_SOURCE, weight=0.5)
    twice = engine.image(asked(request(controls=(half, half), sampler="Euler"), tiny("sd1"), net("sd1"))).pixels
    once = engine.image(asked(controlled(weight=1.0), tiny("sd1"), net("sd1"))).pixels
    assert max(abs(a - b) for a, b in zip(twice, once, strict=True)) <= 1


def test_outside_its_share_of_the_steps_it_is_not_asked(engine: EngineChild, tiny: Tiny, net: Tiny) -> None:
    late, early = controlled(start=0.5), controlled(end=0.5)
    pictures = {engine.image(asked(wish, tiny("sd1"), net("sd1"))).pixels for wish in (late, early, controlled())}
    assert len(pictures) == 3


def test_one_makes_room_before_the_next_is_read(
    tiny: Tiny, net: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both beside a model may be more than a card holds."""
    at_reading: list[int] = []
    read = diffusers.ControlNetModel.from_pretrained

    def counted(*args: Any, **options: Any) -> Any:
        at_reading.append(sum(type(each) is diffusers.ControlNetModel for each in gc.get_objects()))
        return read(*args, **options)

    engine = Engine(Start(device="cpu", threads=1), lambda *told: None)
    other = tiny_additions.controlnet(tiny("sd1"), tmp_path / "other", seed=4)
    monkeypatch.setattr(diffusers.ControlNetModel, "from_pretrained", counted)
    gc.collect()
    gc.disable()
    try:
        for place in (net("sd1"), other):
            engine.generate(asked(controlled(), tiny("sd1"), place), Desk())
    finally:
        gc.enable()
    assert len(at_reading) == 2
    assert at_reading[0] == at_reading[1]
    engine.close()


def test_it_holds_an_inpainting_model_too(engine: EngineChild, tiny: Tiny, tmp_path: Path, net: Tiny) -> None:
    wish = controlled("inpaint", weight=0.7)
    expected = bare_pixels(wish, tiny("sd1-inpaint"), net("sd1"), "sd1")
    assert engine.image(asked(wish, tiny("sd1-inpaint"), net("sd1"))).pixels == expected


@pytest.mark.parametrize(("made_for", "family"), [("sdxl", "sd1"), ("sd1", "sdxl"), ("flux", "sd1"), ("sd1", "flux")])
def test_one_for_another_model_is_one_line_and_changes_nothing(
    engine: EngineChild, tiny: Tiny, net: Tiny, made_for: str, family: str
) -> None:
    said = engine.refusal(asked(controlled(), tiny(family), net(made_for), family))
    assert said.kind == "bad_input"
    assert said.message.startswith("ControlNet: 'mine' is not possible; it was made for another kind of model")
    plain = request(sampler="Euler")
    assert engine.image(command(plain, tiny(family), family=family)).pixels == bare.pixels(plain, tiny(family))


def test_a_single_file_is_read_by_the_measures_of_its_model(
    engine: EngineChild, tiny: Tiny, net: Tiny, tmp_path: Path
) -> None:
    file = tmp_path / "alone.safetensors"
    file.write_bytes((net("sd1") / "diffusion_pytorch_model.safetensors").read_bytes())
    whole = engine.image(asked(controlled(), tiny("sd1"), net("sd1"))).pixels
    assert engine.image(asked(controlled(), tiny("sd1"), file)).pixels == whole


def test_a_held_job_is_paused_resumed_and_cancelled_as_any_other(
    engine: EngineChild, tiny: Tiny, net: Tiny, tmp_path: Path
) -> None:
    wish = task_request("inpaint", controls=controlled().controls, steps=200, sampler="Euler a")
    going = asked(wish, tiny("sd1"), net("sd1"), snapshot=str(tmp_path / "image.safetensors"))
    engine.send(going)
    engine.until(Step)
    engine.send(Pause(job=going.job))
    paused = engine.until(Paused)
    engine.until(Idle)
    again = engine.image(asked(wish, tiny("sd1"), net("sd1"), resume=paused.snapshot))
    assert again.resumed_at == paused.step
    assert again.pixels == engine.image(asked(wish, tiny("sd1"), net("sd1"))).pixels
    engine.send(going)
    engine.until(Step)
    engine.send(Cancel(job=going.job))
    engine.until(Cancelled)
    engine.until(Idle)
    plain = request(sampler="Euler")
    assert engine.image(command(plain, tiny("sd1"))).pixels == bare.pixels(plain, tiny("sd1"))
