"""Trains text encoder and UNet together on latents and captions, by v-prediction."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from starter_training.progress import learning_rate
from starter_training.team import Team
from starter_training.text_tokens import TEXT_POSITIONS, byte_token_count

# A larger beta_end than usual: nothing of the picture, also not its mean brightness, may be left
# in the noisiest latents, since drawing starts from noise that knows nothing.
NOISE_SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.02,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}
_CAPTION_DROP = 0.11
_EMA_DECAY = 0.9985
_LATE = 0.66


@dataclass(frozen=True, kw_only=True)
class DenoiserSize:
    """Widths of UNet and text encoder."""

    channels: tuple[int, ...] = (64, 112, 128)
    resnets: tuple[int, ...] = (1, 1, 1)
    heads: int = 4
    text_width: int = 128
    text_layers: int = 2


def build_text_encoder(tokenizer: CLIPTokenizer, size: DenoiserSize) -> CLIPTextModel:
    """A small CLIP text encoder to which all unknown text looks alike."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.text_width,
        intermediate_size=3 * size.text_width,
        projection_dim=size.text_width,
        num_hidden_layers=size.text_layers,
        num_attention_heads=4,
        max_position_embeddings=TEXT_POSITIONS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    encoder = CLIPTextModel(config)
    words = encoder.get_input_embeddings().weight
    with torch.no_grad():
        words.normal_(0, 0.05)
        words[: byte_token_count()] = 0
    return encoder


def build_unet(size: DenoiserSize) -> UNet2DConditionModel:
    """A three-level UNet on 4 x 16 x 16 latents that reads text below its top level."""
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=size.channels,
        layers_per_block=list(size.resnets),
        cross_attention_dim=size.text_width,
        attention_head_dim=size.heads,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    )
    # On so few positions the plain form of attention trains much faster than the fused one.
    unet.set_attn_processor(AttnProcessor())
    return unet.to(memory_format=torch.channels_last)


def noise_levels(count: int) -> Tensor:
    """One timestep from each of `count` equal parts of the schedule, shuffled."""
    spread = (torch.arange(count) + torch.rand(count)) / count
    return (spread * 1000).long().clamp(0, 999)[torch.randperm(count)]


class DenoiserTraining:
    """Batches of latents and token ids in; better text encoder and UNet out.

    `averaged` holds the moving average of the weights, which is what ships; only the team's
    leader keeps it. `shares` are the probabilities of the pictures early and late in the run, where
    they are not all alike.
    """

    def __init__(
        self,
        networks: nn.ModuleDict,
        latents: Tensor,
        token_ids: Tensor,
        empty_ids: Tensor,
        team: Team,
        shares: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
        batch: int = 32,
        peak: float = 1e-3,
    ) -> None:
        self.networks = networks
        self.averaged = copy.deepcopy(networks).requires_grad_(False)
        self._latents, self._token_ids, self._empty_ids = latents, token_ids, empty_ids
        self._team, self._batch, self._peak = team, batch, peak
        self._shares = shares
        self._trained = [p for p in networks.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(self._trained, lr=peak, betas=(0.9, 0.99), weight_decay=1e-2, fused=True)
        self._signal = DDPMScheduler(**NOISE_SCHEDULE).alphas_cumprod
        self._chance = np.random.default_rng(200 + team.rank)
        torch.manual_seed(200 + team.rank)

    def step(self, fraction: float, step: int) -> float:
        """Train on one batch; the result is its mean squared error in v."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self._peak, fraction, step, 150)
        loss, error = self._loss(fraction)
        self._optimizer.zero_grad()
        loss.backward()
        self._forget_unknown_text()
        self._team.average_gradients(self._trained)
        nn.utils.clip_grad_norm_(self._trained, 1.0)
        self._optimizer.step()
        if self._team.leads:
            self._average_weights(step)
        return error

    def _average_weights(self, step: int) -> None:
        decay = min(_EMA_DECAY, (1 + step) / (10 + step))
        torch._foreach_lerp_(
            list(self.averaged.parameters()),
            [p.detach() for p in self.networks.parameters()],
            1 - decay,
        )

    def _loss(self, fraction: float) -> tuple[Tensor, float]:
        shares = None if self._shares is None else self._shares[int(fraction > _LATE)]
        chosen = torch.from_numpy(self._chance.choice(len(self._latents), self._batch, p=shares))
        latents, ids = self._latents[chosen], self._token_ids[chosen]
        ids = torch.where(torch.rand(len(ids), 1) < _CAPTION_DROP, self._empty_ids, ids)
        times = noise_levels(len(latents))
        signal = self._signal[times].view(-1, 1, 1, 1)
        noise = torch.randn_like(latents)
        noisy = signal.sqrt() * latents + (1 - signal).sqrt() * noise
        velocity = signal.sqrt() * noise - (1 - signal).sqrt() * latents
        with torch.autocast("cpu", torch.bfloat16):
            text = self.networks["text_encoder"](ids)[0]
            noisy = noisy.contiguous(memory_format=torch.channels_last)
            shown = self.networks["unet"](noisy, times, text).sample
        errors = (shown.float() - velocity).square().mean((1, 2, 3))
        # As in min-SNR weighting (arXiv 2303.09556) nearly clean latents count less; very noisy
        # ones keep their full weight, since colours and places are decided there.
        ratio = self._signal[times] / (1 - self._signal[times])
        weights = (6.0 / (ratio + 1)).clamp(max=1.0)
        return (errors * weights).mean(), float(errors.detach().mean())

    def _forget_unknown_text(self) -> None:
        gradient = self.networks["text_encoder"].get_input_embeddings().weight.grad
        if gradient is not None:
            gradient[: byte_token_count()] = 0

    def state(self) -> dict[str, Any]:
        """Weights, averaged weights, optimizer and the state of chance."""
        return {
            "networks": self.networks.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "torch_chance": torch.get_rng_state(),
            "chance": self._chance.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Carry on from a state."""
        self.networks.load_state_dict(state["networks"])
        self.averaged.load_state_dict(state["averaged"])
        self._optimizer.load_state_dict(state["optimizer"])
        for group in self._optimizer.param_groups:
            group["fused"] = True
        torch.set_rng_state(state["torch_chance"])
        self._chance.bit_generator.state = state["chance"]
