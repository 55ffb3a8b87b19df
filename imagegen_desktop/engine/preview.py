"""A small look at the latents: one matrix from latent channels to RGB, at the latents' own size, no decoder.

On a card nothing waits: the picture is copied while the next step runs and is there at the next boundary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .pipelines import LatentColours

Colours = tuple[torch.Tensor, torch.Tensor]
_CHART_SIDE = 128


@dataclass(frozen=True, kw_only=True)
class Look:
    """RGB rows of the latents after `step`."""

    step: int
    width: int
    height: int
    pixels: bytes


class Previews:
    """Of one image. `unpack` brings latents into the shape (1, channels, height, width)."""

    def __init__(self, colours: Colours | None, unpack: Callable[[torch.Tensor], torch.Tensor]) -> None:
        matrix, bias = colours or (torch.empty(0, 3), torch.empty(3))
        self._matrix, self._bias = matrix * 127.5, bias * 127.5 + 127.5  # from [-1, 1] to what a byte holds
        self._unpack = unpack
        self._begun: tuple[int, torch.Tensor] | None = None

    def look(self, step: int, latents: torch.Tensor | None) -> Look | None:
        """What there is to show at this boundary; None for `latents` begins nothing new.

        A processor shows `latents` at once, a card those of the boundary before, which it was waited for since.
        """
        finished = self._finished()
        if latents is not None:
            self._begin(step, latents)
            if not latents.is_cuda:
                finished = self._finished()
        return finished

    def _begin(self, step: int, latents: torch.Tensor) -> None:
        unpacked = self._unpack(latents)
        if unpacked.ndim != 4 or unpacked.shape[1] != len(self._matrix):
            return  # no picture's shape, or no colours known for it
        height, width = unpacked.shape[2:]
        pixels = torch.addmm(self._bias, unpacked[0].flatten(1).T.float(), self._matrix)
        picture = pixels.clamp_(0, 255).to(torch.uint8).view(height, width, 3)
        if picture.is_cuda:
            here = torch.empty(picture.shape, dtype=torch.uint8, pin_memory=True)
            picture = here.copy_(picture, non_blocking=True)
        self._begun = step, picture

    def _finished(self) -> Look | None:
        if self._begun is None:
            return None
        (step, picture), self._begun = self._begun, None
        height, width, _ = picture.shape
        return Look(step=step, width=width, height=height, pixels=picture.numpy().tobytes())


def clean_guess(scheduler: Any, asked: Sequence[Any], output: Sequence[Any]) -> torch.Tensor:
    """What the finished latents would be if the denoiser were right now; the noisy ones where that is unknown.

    `asked` is what `scheduler.step` was called with: prediction, timestep, sample.
    """
    latents: torch.Tensor = output[0]
    # What TCD adds is a little less noisy, not clean.
    if len(output) > 1 and type(scheduler).__name__ != "TCDScheduler":
        told: torch.Tensor = output[1]
        return told
    if len(asked) < 3:
        return latents
    prediction, timestep, sample = asked[:3]
    if type(scheduler).__name__.startswith("FlowMatch"):
        return sample - prediction * (timestep / scheduler.config.num_train_timesteps)
    return _solved(scheduler, prediction, timestep, sample)


def _solved(scheduler: Any, prediction: torch.Tensor, timestep: Any, sample: torch.Tensor) -> torch.Tensor:
    """The clean part of a sample that is `√ᾱ · clean + √(1-ᾱ) · noise`; on a card without waiting for it."""
    signal, noise = _shares(scheduler.alphas_cumprod, timestep, sample.device)
    if scheduler.config.prediction_type == "v_prediction":
        return sample * signal - prediction * noise
    return (sample - prediction * noise) / signal


def _shares(kept: torch.Tensor, timestep: Any, device: torch.device) -> tuple[Any, Any]:
    """How much of the clean picture and of the noise is in a sample: numbers on a processor, where a step may be too
    short for many small tensors; on a card tensors, which nobody waits for."""
    if device.type == "cpu":
        share = kept[int(timestep)].item()
        return math.sqrt(share), math.sqrt(1 - share)
    place = torch.as_tensor(timestep, device=device).reshape(1).long()
    there = kept.to(device, non_blocking=True).index_select(0, place)
    return there.sqrt(), (1 - there).sqrt()


def colours_of(vae: Any, known: LatentColours | None, device: torch.device) -> Colours:
    """A (channels, 3) matrix and a bias on `device`, where the autoencoder runs: the known ones, or measured ones."""
    if known is None or len(known.matrix) != vae.config.get("latent_channels"):
        with torch.no_grad():
            return _measured(vae, device)
    return torch.tensor(known.matrix, device=device), torch.tensor(known.bias, device=device)


def colours_if_measurable(vae: Any, device: torch.device) -> Colours | None:
    """Of an autoencoder nobody described to us; None when it encodes in a way of its own."""
    try:
        return colours_of(vae, None, device)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError):
        return None


def _measured(vae: Any, device: torch.device) -> Colours:
    """Least squares over a chart of smooth colours that the model's own encoder has seen."""
    chance = torch.Generator().manual_seed(0)
    spots = torch.rand((1, 3, 12, 12), generator=chance) * 2 - 1
    chart = torch.nn.functional.interpolate(spots, (_CHART_SIDE, _CHART_SIDE), mode="bilinear")
    latents = _encoded(vae, chart.to(device, vae.dtype)).float().cpu()
    channels, height, width = latents.shape[1:]
    seen = latents[0].reshape(channels, -1).T
    wanted = torch.nn.functional.adaptive_avg_pool2d(chart, (height, width))[0].reshape(3, -1).T
    solution = torch.linalg.lstsq(torch.cat([seen, torch.ones(len(seen), 1)], dim=1), wanted).solution
    solution = torch.nan_to_num(solution).to(device)
    return solution[:-1], solution[-1]


def _encoded(vae: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Latents as the denoiser sees them, without chance; what FLUX.2 normalises is told as it was before."""
    film = "z_dim" in vae.config  # Qwen-Image calls a picture a film of one frame
    output = vae.encode(pixels.unsqueeze(2) if film else pixels)
    raw = output.latents if hasattr(output, "latents") else output.latent_dist.mode()
    if film:
        mean, spread = (torch.tensor(vae.config[name]).to(raw) for name in ("latents_mean", "latents_std"))
        return (raw[:, :, 0] - mean.view(1, -1, 1, 1)) / spread.view(1, -1, 1, 1)
    return (raw - (vae.config.get("shift_factor") or 0.0)) * vae.config.get("scaling_factor", 1.0)
