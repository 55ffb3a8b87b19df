"""Every sampler in every task is the bare pipeline's, and all of them take the model's own noise schedule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch

from imagegen_desktop.domain.families import DIFFUSION_SAMPLERS, MODEL_DEFAULT_SAMPLER
from imagegen_desktop.engine.samplers import SAMPLERS, Schedulers
from imagegen_desktop.protocol.messages import Loading, Paused, Started, Step
from tests import tiny_models
from tests.engine import bare
from tests.engine.engine_child import EngineChild, command, only, request, task_request

Tiny = Callable[[str], Path]
NAMES = (MODEL_DEFAULT_SAMPLER, *DIFFUSION_SAMPLERS)
TASKS = ("text", "image", "inpaint")
TEXT_KINDS = ("sd2", "starter")


def test_every_offered_sampler_is_known() -> None:
    assert tuple(SAMPLERS) == DIFFUSION_SAMPLERS


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("sampler", NAMES)
def test_the_image_is_the_bare_pipelines(engine: EngineChild, tiny: Tiny, sampler: str, task: str) -> None:
    wish = task_request(task, sampler=sampler)
    image = engine.image(command(wish, tiny("sd1")))
    assert image.pixels == bare.pixels(wish, tiny("sd1"))
    assert engine.image(command(wish, tiny("sd1"))).pixels == image.pixels, "asked twice"


@pytest.mark.parametrize("kind", TEXT_KINDS)
@pytest.mark.parametrize("sampler", DIFFUSION_SAMPLERS)
def test_other_models_keep_their_own_settings(engine: EngineChild, tiny: Tiny, sampler: str, kind: str) -> None:
    wish = request(sampler=sampler)
    assert engine.image(command(wish, tiny(kind), family=kind)).pixels == bare.pixels(wish, tiny(kind))


def test_a_model_trained_to_inpaint_inpaints(engine: EngineChild, tiny: Tiny) -> None:
    wish = task_request("inpaint", strength=1.0)
    assert engine.image(command(wish, tiny("sd1-inpaint"))).pixels == bare.pixels(wish, tiny("sd1-inpaint"))


@pytest.mark.parametrize(
    ("sampler", "task", "iterations"),
    [
        ("Euler", "text", 6),
        ("Heun", "text", 11),
        ("DPM++ SDE", "text", 11),
        ("PNDM", "text", 7),
        ("Euler", "image", 4),
        ("Euler", "inpaint", 4),
    ],
)
def test_progress_counts_iterations(engine: EngineChild, tiny: Tiny, sampler: str, task: str, iterations: int) -> None:
    events = engine.run(command(task_request(task, sampler=sampler, steps=6), tiny("sd1")))
    assert only(events, Started).steps == iterations
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, iterations + 1))


def test_encoding_the_source_image_is_told(engine: EngineChild, tiny: Tiny) -> None:
    events = engine.run(command(task_request("image"), tiny("sd1")))
    assert "encoding image" in {event.phase for event in events if isinstance(event, Loading)}


def test_too_little_strength_says_how_much_is_enough(engine: EngineChild, tiny: Tiny) -> None:
    said = engine.refusal(command(task_request("image", strength=0.1), tiny("sd1")))
    assert "at least 0.25 with 4 steps" in said.message


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
@pytest.mark.parametrize("sampler", NAMES)
def test_all_the_steps_a_model_was_trained_with_can_be_taken(sampler: str) -> None:
    """The last is 0 then, whatever the model moves its steps by."""
    own = diffusers.PNDMScheduler(**tiny_models.NOISE_SCHEDULE, skip_prk_steps=True)
    scheduler = Schedulers(own, flow=False).fresh(sampler, seed=1, steps=1000)
    scheduler.set_timesteps(1000)
    sample = torch.zeros((1, 4, 2, 2))
    for timestep in scheduler.timesteps[:3]:
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(sample, timestep)
        sample = scheduler.step(torch.zeros_like(sample), timestep, sample, return_dict=False)[0]
    assert scheduler.timesteps.max() < 1000
    assert sample.isfinite().all()


def test_the_first_of_a_thousand_steps_is_drawn(engine: EngineChild, tiny: Tiny) -> None:
    events = engine.run(command(request(sampler="DDIM", steps=1000, until=2), tiny("sd1")))
    assert only(events, Paused).step == 2


def test_distilled_samplers_take_more_steps_than_their_teacher(engine: EngineChild, tiny: Tiny) -> None:
    assert engine.image(command(request(sampler="LCM", steps=60), tiny("sd1"))).pixels
