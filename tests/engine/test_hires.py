"""The hires pass: two passes in one job, equal to the two bare pipelines; steps count through, none is drawn twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from diffusers import AutoencoderKL
from PIL import Image as Picture
from safetensors.torch import save_file

from imagegen_desktop.domain.request import LAST_STEP, BranchPoint, GenerationRequest
from imagegen_desktop.protocol.messages import (
    Cancel,
    Cancelled,
    Generate,
    Idle,
    Image,
    Loading,
    Pause,
    Paused,
    Started,
    Step,
)
from tests import tiny_additions
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
from tests.tiny_additions import extra
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


def two_pipelines(wish: Any, folder: Path, decoder: Path | None = None) -> bytes:
    """What a person would do by hand with diffusers; the last latents decoded by another autoencoder where it is
    named."""
    import torch

    first = Picture.frombytes("RGB", (SIDE, SIDE), bare.pixels(request(steps=wish.steps, sampler="Euler"), folder))
    larger = first.resize((FINAL, FINAL), Picture.Resampling.LANCZOS)
    pipeline = bare._pipeline(folder, "image")
    own = pipeline.scheduler
    pipeline.scheduler = bare._scheduler(wish, own)
    torch.manual_seed(wish.seed)
    told = pipeline(
        prompt=wish.full_prompt,
        negative_prompt=wish.full_negative_prompt,
        image=larger,
        strength=wish.hires_strength,
        num_inference_steps=wish.steps,
        guidance_scale=wish.guidance,
        generator=torch.Generator("cpu").manual_seed(wish.seed),
        output_type="latent" if decoder else "pil",
    ).images
    pipeline.scheduler = own
    if decoder is None:
        return bytes(told[0].tobytes())
    vae = AutoencoderKL.from_pretrained(decoder, local_files_only=True)
    with torch.no_grad():
        decoded = vae.decode(told / vae.config.scaling_factor, return_dict=False)[0]
    return bytes(pipeline.image_processor.postprocess(decoded, output_type="pil")[0].tobytes())


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
    events = engine.run(command(wish, tiny("sd1"), extras=extras))
    image = only(events, Image)
    assert (image.width, image.height) == (FINAL, FINAL)
    phases = [event.phase for event in events if isinstance(event, Loading)]
    assert phases.count("enlarging") == 3, "at first, when its tiles are counted, and with each"
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


def decoded_again(parent: GenerationRequest, vae: str | None = None) -> GenerationRequest:
    return replace(parent, vae=vae, branch=BranchPoint(step=LAST_STEP, image="i", request=parent))


@pytest.mark.parametrize("task", ["text", "inpaint"])
@pytest.mark.parametrize("kind", ["sd1", "sdxl", "flux"])
def test_the_second_passs_latents_are_decoded_again(
    engine: EngineChild, tiny: Callable[[str], Path], tmp_path: Path, kind: str, task: str
) -> None:
    strength = {"strength": 1.0} if task == "inpaint" else {}
    parent, kept = task_request(task, **HIRES | strength), str(tmp_path / "finished.safetensors")

    def make(wish: GenerationRequest, **changes: Any) -> Generate:
        return command(wish, tiny(kind), family=kind, **changes)

    drawn = engine.run(make(parent, snapshot=kept, snapshot_seconds=1e-6))
    events = engine.run(make(decoded_again(parent), resume=kept))
    assert only(events, Image).pixels == only(drawn, Image).pixels
    spared = only(events, Started).step  # of so small a picture the last snapshots may come too late
    assert spared > 0
    assert only(events, Started).steps == 9
    assert [event.step for event in events if isinstance(event, Step)] == list(range(spared + 1, 10))
    assert only(events, Idle).denoiser_calls - only(drawn, Idle).denoiser_calls == 9 - spared
    without = engine.run(make(decoded_again(parent), resume=str(tmp_path / "gone")))
    assert only(without, Image).pixels == only(drawn, Image).pixels
    assert [event.step for event in without if isinstance(event, Step)] == list(range(1, 10))
    assert only(without, Started).steps == 9


def test_another_autoencoder_decodes_the_second_pass_alone(
    engine: EngineChild, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    """The first picture, which the second pass goes on with, stays what the model's own made of it."""
    parent, kept = request(**HIRES), str(tmp_path / "finished.safetensors")
    other = tiny_additions.autoencoder(tmp_path / "vae")
    engine.run(command(parent, tiny("sd1"), snapshot=kept, snapshot_seconds=1e-6))
    by_hand = two_pipelines(parent, tiny("sd1"), other)
    assert by_hand != two_pipelines(parent, tiny("sd1"))
    for resume in (kept, ""):
        wish = command(decoded_again(parent, "mine"), tiny("sd1"), extras=[extra("vae", other)], resume=resume)
        again = engine.image(wish)
        assert again.pixels == by_hand
        assert [*again.hashes] == ["vae:mine"]


@pytest.mark.parametrize("leave_at", [2, 7])
def test_decoding_again_can_be_cancelled_in_either_pass(
    engine: EngineChild, tiny: Callable[[str], Path], leave_at: int
) -> None:
    engine.send(command(decoded_again(request(**HIRES | {"steps": 60})), tiny("sd1")))
    while engine.until(Step).step < leave_at * 10:
        pass
    engine.send(Cancel(job="job"))
    engine.until(Cancelled)
    engine.until(Idle)


def test_a_branch_in_the_first_pass_begins_with_nothing_of_the_second(
    engine: EngineChild, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    parent, kept = request(**HIRES), str(tmp_path / "finished.safetensors")
    engine.run(command(parent, tiny("sd1"), snapshot=kept, snapshot_seconds=1e-6))
    wish = replace(parent, prompt="a blue dog", branch=BranchPoint(step=4, image="i", request=parent))
    whole = engine.image(command(wish, tiny("sd1")))
    events = engine.run(command(wish, tiny("sd1"), resume=kept))
    assert only(events, Image).pixels == whole.pixels
    assert only(events, Started).steps == 9
    assert [(event.step, event.steps) for event in events if isinstance(event, Step)] == [
        (step, 9) for step in range(1, 10)
    ]
