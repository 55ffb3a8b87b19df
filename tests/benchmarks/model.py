"""A model whose step takes about 20 ms on one processor core: small enough to wait for, large enough to measure by."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from tests.tiny_models import stable_diffusion


def build(folder: Path) -> Path:
    """Writes it into `folder`; its native size is 256 × 256."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = stable_diffusion()
        unet = UNet2DConditionModel(
            sample_size=32,
            block_out_channels=(32, 48),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=32,
            attention_head_dim=8,
            norm_num_groups=8,
        ).eval()
        pipeline.register_modules(unet=unet)
        pipeline.save_pretrained(folder)
    return folder
