"""Tiny random models of families this program has no name for."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from tests import tiny_models

_PIXART = {
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "num_layers": 1,
    "cross_attention_dim": 16,
    "sample_size": 8,
    "caption_channels": 32,
}
_CHROMA = {
    "in_channels": 16,
    "num_layers": 1,
    "num_single_layers": 1,
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "joint_attention_dim": 32,
    "axes_dims_rope": (4, 4, 8),
    "approximator_hidden_dim": 32,
    "approximator_layers": 1,
    "approximator_num_channels": 8,
}

#: Pipeline, denoiser and its sizes, scheduler. PixArt is older than the convention that a pipeline tells how many
#: steps it takes.
KINDS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "pixart": ("PixArtSigmaPipeline", "PixArtTransformer2DModel", _PIXART, "DPMSolverMultistepScheduler"),
    "chroma": ("ChromaPipeline", "ChromaTransformer2DModel", _CHROMA, "FlowMatchEulerDiscreteScheduler"),
}


def build(kind: str, folder: Path) -> Path:
    """Writes the tiny model of that kind into `folder`; the folder."""
    import diffusers

    pipeline, denoiser, sizes, scheduler = KINDS[kind]
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(diffusers, pipeline)(
            transformer=getattr(diffusers, denoiser)(**sizes).eval(),
            scheduler=getattr(diffusers, scheduler)(),
            vae=tiny_models.shifted_autoencoder(4) if kind == "chroma" else tiny_models.autoencoder(),
            text_encoder=tiny_models.t5_encoder(32),
            tokenizer=tiny_models.t5_tokenizer(),
        ).save_pretrained(folder)
    return folder
