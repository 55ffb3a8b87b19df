"""Previews show what is coming, not the noise it comes out of."""

from __future__ import annotations

from typing import Any

import diffusers
import pytest
import torch

from imagegen_desktop.domain.families import DIFFUSION_SAMPLERS
from imagegen_desktop.engine.preview import Previews, clean_guess, colours_of
from imagegen_desktop.engine.samplers import FLOW_SAMPLERS, Schedulers
from tests import tiny_models

# The schedulers of DPM2 give numpy their tensors.
pytestmark = pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")

CLEAN = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
NOISE = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(2))
#: Past the first two, so that samplers of a higher order have begun, and not yet where everything is clean anyway.
PLACE = 4


def noisy(scheduler: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """A sample at that place, and its timestep."""
    timestep = scheduler.timesteps[PLACE]
    return scheduler.add_noise(CLEAN, NOISE, timestep.reshape(1)), timestep


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("sampler", DIFFUSION_SAMPLERS)
def test_a_right_denoiser_is_believed(sampler: str, prediction: str) -> None:
    own = diffusers.PNDMScheduler(**tiny_models.NOISE_SCHEDULE, prediction_type=prediction)
    scheduler = Schedulers(own, flow=False).fresh(sampler, seed=1, steps=10)
    scheduler.set_timesteps(10)
    sample, timestep = noisy(scheduler)
    asked = (right(scheduler, prediction, timestep), timestep, sample)
    if hasattr(scheduler, "scale_model_input"):
        scheduler.scale_model_input(sample, timestep)
    guess = clean_guess(scheduler, asked, scheduler.step(*asked, return_dict=False))
    assert torch.allclose(guess, CLEAN, atol=0.05), f"off by {(guess - CLEAN).abs().max():.3f}"


def right(scheduler: Any, prediction: str, timestep: torch.Tensor) -> torch.Tensor:
    """What a perfect denoiser says."""
    if prediction == "epsilon":
        return NOISE
    kept = scheduler.alphas_cumprod[timestep.long()]
    return kept.sqrt() * NOISE - (1 - kept).sqrt() * CLEAN


@pytest.mark.parametrize("sampler", FLOW_SAMPLERS)
def test_a_right_flow_is_believed(sampler: str) -> None:
    own = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler = Schedulers(own, flow=True).fresh(sampler, seed=1, steps=10)
    scheduler.set_timesteps(10)
    timestep = scheduler.timesteps[PLACE]
    noisiness = timestep / scheduler.config.num_train_timesteps
    sample = (1 - noisiness) * CLEAN + noisiness * NOISE
    asked = (NOISE - CLEAN, timestep, sample)
    guess = clean_guess(scheduler, asked, scheduler.step(*asked, return_dict=False))
    assert torch.allclose(guess, CLEAN, atol=1e-4)


def test_a_look_has_the_latents_size_and_the_colours_of_the_matrix() -> None:
    vae = tiny_models.autoencoder()
    colours = torch.eye(4, 3), torch.zeros(3)
    latents = torch.zeros((1, 4, 2, 3))
    latents[0, 0] = 1.0
    look = Previews(colours, lambda packed: packed).look(7, latents)
    assert look
    assert (look.step, look.width, look.height) == (7, 3, 2)
    assert look.pixels == bytes((255, 127, 127)) * 6
    assert colours_of(vae, None, vae.device)[0].shape == (4, 3)


def test_what_is_not_due_is_not_shown() -> None:
    assert Previews((torch.eye(4, 3), torch.zeros(3)), lambda packed: packed).look(1, None) is None
