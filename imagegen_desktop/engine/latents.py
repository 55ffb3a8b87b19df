"""The shapes denoisers work in, brought into a picture's: (1, channels, height, width)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

#: Latents as a pipeline's scheduler holds them, that pipeline, and the picture's height and width in pixels.
Unpack = Callable[[torch.Tensor, Any, int, int], torch.Tensor]


def plain(latents: torch.Tensor, pipeline: Any, height: int, width: int) -> torch.Tensor:
    return latents


def packed(latents: torch.Tensor, pipeline: Any, height: int, width: int) -> torch.Tensor:
    """From a row of 2×2 patches (FLUX.1, Qwen-Image); the latter calls a picture a film of one frame."""
    unpacked: torch.Tensor = pipeline._unpack_latents(latents, height, width, pipeline.vae_scale_factor)
    return unpacked[:, :, 0] if unpacked.ndim == 5 else unpacked


def guessed(latents: torch.Tensor, pipeline: Any, height: int, width: int) -> torch.Tensor:
    """Of a pipeline nobody described to us; what is no picture's shape comes back as it is and is not shown."""
    if latents.ndim == 3 and hasattr(pipeline, "_unpack_latents"):
        return packed(latents, pipeline, height, width)
    return latents


def normalised(latents: torch.Tensor, pipeline: Any, height: int, width: int) -> torch.Tensor:
    """From a row of 2×2 patches normalised channel by channel (FLUX.2), back to what its autoencoder decodes."""
    side = pipeline.vae_scale_factor * 2
    patches = latents.transpose(1, 2).reshape(latents.shape[0], -1, height // side, width // side)
    bn, config = pipeline.vae.bn, pipeline.vae.config
    spread = torch.sqrt(bn.running_var.view(1, -1, 1, 1) + config.batch_norm_eps)
    moved = patches * spread.to(patches) + bn.running_mean.view(1, -1, 1, 1).to(patches)
    unpacked: torch.Tensor = pipeline._unpatchify_latents(moved)
    return unpacked
