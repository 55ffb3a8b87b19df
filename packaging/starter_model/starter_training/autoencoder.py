"""Trains the autoencoder that turns 128 x 128 pictures into 4 x 16 x 16 latents and back."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from starter_training.progress import learning_rate
from starter_training.team import Team

_LATENT_NOISE = 0.05


def build_autoencoder(width: int = 48) -> AutoencoderTiny:
    """An eightfold autoencoder whose top resolution has no blocks, only an upsampling filter."""
    model = AutoencoderTiny(
        encoder_block_out_channels=(width,) * 4,
        decoder_block_out_channels=(width,) * 4,
        num_encoder_blocks=(0, 1, 2, 3),
        num_decoder_blocks=(3, 2, 1, 0),
    )
    start_as_block_means(model)
    return model.to(memory_format=torch.channels_last)


@torch.no_grad()
def start_as_block_means(model: AutoencoderTiny) -> None:
    """Make three latents the mean colours of 8 x 8 blocks, and the decoder show them.

    Training then only learns what is missing, which saves the first thousands of steps.
    """
    for half, encodes in ((model.encoder, True), (model.decoder, False)):
        for block in half.modules():
            if hasattr(block, "fuse") and hasattr(block, "conv"):
                block.conv[-1].weight[:3] = 0
                block.conv[-1].weight.mul_(0.3)
                block.conv[-1].bias.zero_()
        plain = [layer for layer in half.layers if isinstance(layer, nn.Conv2d)]
        for index, layer in enumerate(plain):
            _pass_three_channels(layer, encodes, index == 0, index == len(plain) - 1)


def _pass_three_channels(layer: nn.Conv2d, encodes: bool, first: bool, last: bool) -> None:
    layer.weight[:3] *= 0.05
    if layer.bias is not None:
        layer.bias[:3] = 0
    blur = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    for channel in range(3):
        tap = layer.weight[channel, channel]
        if layer.stride[0] == 2:
            tap.copy_(blur)
        elif encodes and first:
            # The blocks end in a ReLU, so colours travel as 0..1.
            tap[1, 1] = 0.5
            layer.bias[channel] = 0.5
        elif encodes and last:
            tap[1, 1] = 2.0
            layer.bias[channel] = -1.0
        else:
            tap[1, 1] = 1.0


def as_network_input(pixels: NDArray[np.uint8]) -> Tensor:
    """Bytes (n x h x w x 3) as floats in -1..1 (n x 3 x h x w)."""
    planes = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    return (planes.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def _edges(picture: Tensor) -> tuple[Tensor, Tensor]:
    return picture[..., 1:, :] - picture[..., :-1, :], picture[..., 1:] - picture[..., :-1]


def reconstruction_loss(shown: Tensor, wanted: Tensor) -> Tensor:
    """Absolute and squared error, edges, and the mean colour of small blocks."""
    error = shown - wanted
    down, across = _edges(error)
    blocks = functional.avg_pool2d(error, 4).abs().mean()
    edges = down.abs().mean() + across.abs().mean()
    return error.abs().mean() + 2 * error.square().mean() + 0.5 * edges + 0.5 * blocks


class AutoencoderTraining:
    """Batches of drawn pictures in; a better autoencoder out."""

    def __init__(
        self,
        model: AutoencoderTiny,
        pixels: NDArray[np.uint8],
        team: Team,
        batch: int = 8,
        peak: float = 1.5e-3,
        decoder_only: bool = False,
    ) -> None:
        self.model, self._pixels, self._team = model, pixels, team
        self._batch, self._peak = batch, peak
        self._chance = np.random.default_rng(100 + team.rank)
        torch.manual_seed(100 + team.rank)
        self._decoder_only = decoder_only
        if decoder_only:
            model.encoder.requires_grad_(False)
        self._trained = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(self._trained, lr=peak, betas=(0.9, 0.98), weight_decay=1e-3)

    def step(self, fraction: float, step: int) -> float:
        """Train on one batch; the result is the mean squared error of its pictures."""
        chosen = np.sort(self._chance.choice(len(self._pixels), self._batch, replace=False))
        wanted = as_network_input(self._pixels[chosen])
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self._peak, fraction, step, 60)
        with torch.autocast("cpu", torch.bfloat16):
            latents = self.model.encoder(wanted)
            shown = self.model.decoder(latents + _LATENT_NOISE * torch.randn_like(latents))
        loss = reconstruction_loss(shown.float(), wanted)
        loss = loss + 1e-3 * latents.float().square().mean()
        self._optimizer.zero_grad()
        loss.backward()
        self._team.average_gradients(self._trained)
        nn.utils.clip_grad_norm_(self._trained, 1.0)
        self._optimizer.step()
        return float((shown.detach().float() - wanted).square().mean())

    def state(self) -> dict[str, Any]:
        """Weights, optimizer and the state of chance."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "torch_chance": torch.get_rng_state(),
            "chance": self._chance.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Carry on from a state."""
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["torch_chance"])
        self._chance.bit_generator.state = state["chance"]


@torch.no_grad()
def centre_latents(model: AutoencoderTiny, pixels: NDArray[np.uint8]) -> None:
    """Give latents mean 0 and spread 1 by changing the encoder's last and decoder's first layer.

    The decoder squashes what it reads, so this is not exact for it: train it a little after.
    The fourth latent keeps a smaller spread, so that fine detail is drawn after colour.
    """
    latents = encode(model, pixels)
    mean, spread = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    spread = spread / torch.tensor([1.0, 1.0, 1.0, 0.6])
    last = model.encoder.layers[-1]
    last.weight.div_(spread[:, None, None, None])
    last.bias.copy_((last.bias - mean) / spread)
    first = next(layer for layer in model.decoder.layers if isinstance(layer, nn.Conv2d))
    first.bias.add_((first.weight.sum((2, 3)) * mean).sum(1))
    first.weight.mul_(spread[None, :, None, None])
    model.register_to_config(scaling_factor=1.0)


def _batches(pixels: NDArray[np.uint8], size: int = 32) -> Iterator[Tensor]:
    for start in range(0, len(pixels), size):
        yield as_network_input(pixels[start : start + size])


@torch.no_grad()
def encode(model: AutoencoderTiny, pixels: NDArray[np.uint8]) -> Tensor:
    """Latents (n x 4 x 16 x 16) of the pictures, not scaled."""
    with torch.autocast("cpu", torch.bfloat16):
        parts = [model.encoder(batch).float() for batch in _batches(pixels)]
    return torch.cat(parts).contiguous(memory_format=torch.contiguous_format)


@torch.no_grad()
def signal_to_noise(model: AutoencoderTiny, pixels: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB over the pictures."""
    errors = [
        (model.decoder(model.encoder(batch)).clamp(-1, 1) - batch).square().mean().item() for batch in _batches(pixels)
    ]
    return float(10 * np.log10(4 / np.mean(errors)))
