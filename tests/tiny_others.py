"""Tiny random models of families this program has no name for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tests import tiny_models


def build(kind: str, folder: Path) -> Path:
    """Writes the tiny model of that kind into `folder`; the folder."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        KINDS[kind]().save_pretrained(folder)
    return folder


def pixart() -> Any:
    """Older than the convention that a pipeline tells how many steps it takes."""
    from diffusers import DPMSolverMultistepScheduler, PixArtSigmaPipeline, PixArtTransformer2DModel

    denoiser = PixArtTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=1,
        cross_attention_dim=16,
        sample_size=8,
        caption_channels=32,
    ).eval()
    return PixArtSigmaPipeline(
        tokenizer=tiny_models.t5_tokenizer(),
        text_encoder=tiny_models.t5_encoder(32),
        vae=tiny_models.autoencoder(),
        transformer=denoiser,
        scheduler=DPMSolverMultistepScheduler(),
    )


def chroma() -> Any:
    from diffusers import ChromaPipeline, ChromaTransformer2DModel, FlowMatchEulerDiscreteScheduler

    denoiser = ChromaTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        num_attention_heads=2,
        attention_head_dim=16,
        joint_attention_dim=32,
        axes_dims_rope=(4, 4, 8),
        approximator_hidden_dim=32,
        approximator_layers=1,
        approximator_num_channels=8,
    ).eval()
    return ChromaPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=tiny_models.shifted_autoencoder(4),
        text_encoder=tiny_models.t5_encoder(32),
        tokenizer=tiny_models.t5_tokenizer(),
        transformer=denoiser,
    )


KINDS: dict[str, Callable[[], Any]] = {"pixart": pixart, "chroma": chroma}
