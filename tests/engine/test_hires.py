"""The hires pass: two passes in one job, equal to the two bare pipelines; steps count through, none is drawn twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Picture
from safetensors.torch import save_file

from imagegen_desktop.protocol.messages import Idle, Image, Pause, Paused, Started, Step
from tests.engine import bare
from tests.engine.engine_child import (
    SIDE,
    EngineChild,
    command,
    gradient,
    left_half,
    only,
    request,
    task_request,
)
from tests.tiny_models import esrgan_tensors

HIRES = {"hires_factor": 1.5, "hires_strength": 0.5, "steps": 6, "sampler": "Euler"}
FINAL = 96


def test_two_passes_are_the_two_pipelines(engine: EngineChild, tiny: Callable[[str], Path]) -> None:
    wish = request(**HIRES)
    events = engine.run(command(wish, tiny("sd1")))
    image = only(events, Image)
    assert (image.width, image.height) == (FINAL, FINAL)
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, 10))
    assert only(events, Started).steps == 9
    assert image.pixels == two_pipelines(wish, tiny("sd1"))


def two_pipelines(wish: Any, folder: Path) -> bytes:
    """What a person would do by hand with diffusers."""
    import torch

    first = Picture.frombytes("RGB", (SIDE, SIDE), bare.pixels(request(steps=wish.steps, sampler="Euler"), folder))
    larger = first.resize((FINAL, FINAL), Picture.Resampling.LANCZOS)
    pipeline = bare._pipeline(folder, "image")
    own = pipeline.scheduler
    pipeline.scheduler = bare._scheduler(wish, own)
    torch.manual_seed(wish.seed)
    picture = pipeline(
        prompt=wish.full_prompt,
        negative_prompt=wish.full_negative_prompt,
        image=larger,
        strength=wish.hires_strength,
        num_inference_steps=wish.steps,
        guidance_scale=wish.guidance,
        generator=torch.Generator("cpu").manual_seed(wish.seed),
    ).images[0]
    pipeline.scheduler = own
    return bytes(picture.tobytes())


def test_inside_a_mask_both_passes_paint_and_outside_it_the_picture_is_itself(
    engine: EngineChild, tiny: Callable[[str], Path]
) -> None:
    wish = task_request("inpaint", **HIRES, strength=1.0)
    events = engine.run(command(wish, tiny("sd1")))
    image = only(events, Image)
    assert (image.width, image.height) == (FINAL, FINAL)
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, 10))
    alone = task_request("inpaint", steps=6, sampler="Euler", strength=1.0)
    first = Picture.frombytes("RGB", (SIDE, SIDE), bare.pixels(alone, tiny("sd1")))
    mask = Picture.frombytes("L", (SIDE, SIDE), left_half())
    kept = Picture.composite(first, Picture.frombytes("RGB", (SIDE, SIDE), gradient()), mask)
    size = (FINAL, FINAL)
    pictures = {
        "image": kept.resize(size, Picture.Resampling.LANCZOS).tobytes(),
        "mask": mask.resize(size, Picture.Resampling.BILINEAR).tobytes(),
    }
    second = task_request("inpaint", steps=6, sampler="Euler", strength=0.5, width=FINAL, height=FINAL)
    assert image.pixels == engine.image(command(second, tiny("sd1"), **pictures)).pixels


def test_how_many_steps_there_will_be_is_said_at_once(engine: EngineChild, tiny: Callable[[str], Path]) -> None:
    for wish in (task_request("image", **HIRES, strength=0.7), task_request("inpaint", **HIRES, strength=1.0)):
        events = engine.run(command(wish, tiny("sd1")))
        steps = [event for event in events if isinstance(event, Step)]
        assert only(events, Started).steps == len(steps) == steps[-1].step


@pytest.mark.parametrize("sampler", ["PNDM", "Heun"])
def test_samplers_with_steps_of_their_own_are_counted_right(
    engine: EngineChild, tiny: Callable[[str], Path], sampler: str
) -> None:
    events = engine.run(command(request(**HIRES | {"sampler": sampler}), tiny("sd1")))
    steps = [event for event in events if isinstance(event, Step)]
    assert [event.step for event in steps] == list(range(1, only(events, Started).steps + 1))


def test_a_network_enlarges_between_the_passes(
    engine: EngineChild, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    file = tmp_path / "tiny.safetensors"
    save_file(esrgan_tensors(doublings=1), file)
    wish = request(**HIRES, upscaler="tiny")
    extras = [{"kind": "upscaler", "name": "tiny", "path": str(file), "format": "safetensors"}]
    image = engine.image(command(wish, tiny("sd1"), extras=extras))
    assert (image.width, image.height) == (FINAL, FINAL)
    assert image.pixels != engine.image(command(request(**HIRES), tiny("sd1"))).pixels


@pytest.mark.parametrize(("task", "leave_at"), [("text", 2), ("text", 7), ("inpaint", 7)])
def test_either_pass_goes_on_from_its_snapshot(
    engine: EngineChild, tiny: Callable[[str], Path], tmp_path: Path, task: str, leave_at: int
) -> None:
    """Step 2 is of the first pass, 7 of the second, which does not draw the first again."""
    strength = {"strength": 1.0} if task == "inpaint" else {}
    wish, snapshot = task_request(task, **HIRES | strength), str(tmp_path / "job.safetensors")
    whole = engine.image(command(wish, tiny("sd1"))).pixels
    engine.send(command(wish, tiny("sd1"), snapshot=snapshot, snapshot_seconds=3600.0))
    while engine.until(Step).step < leave_at - 1:
        pass
    engine.send(Pause(job="job"))
    paused = engine.until(Paused)
    engine.until(Idle)
    before = engine.run(command(request(steps=1), tiny("sd1")))[-1].denoiser_calls  # type: ignore[union-attr]
    events = engine.run(command(wish, tiny("sd1"), resume=paused.snapshot, snapshot=snapshot))
    image = only(events, Image)
    assert image.pixels == whole
    assert image.resumed_at == paused.step
    assert [event.step for event in events if isinstance(event, Step)] == list(range(paused.step + 1, 10))
    assert events[-1].denoiser_calls - before == 9 - paused.step  # type: ignore[union-attr]
