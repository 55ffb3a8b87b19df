"""Seamless pictures: also those that are decoded in tiles have no seam where their edges meet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch

from imagegen_desktop.engine.tiling import seamless

Tiny = Callable[[str], Path]


def across(decoded: torch.Tensor, side: int) -> tuple[float, float]:
    """How much a picture changes from its last row or column to the first, and between neighbours inside."""
    last, first = decoded.narrow(side, -1, 1), decoded.narrow(side, 0, 1)
    return float((last - first).abs().mean()), float(decoded.diff(dim=side).abs().mean())


@pytest.mark.parametrize(("tiling", "meeting"), [("x", {-1}), ("y", {-2}), ("both", {-1, -2})])
def test_edges_meet_in_tiles_as_in_one_piece(tiny: Tiny, tiling: str, meeting: set[int]) -> None:
    pipeline = diffusers.DiffusionPipeline.from_pretrained(tiny("sd1"), local_files_only=True)
    vae = pipeline.vae
    vae.enable_tiling()
    vae.tile_latent_min_size, vae.tile_sample_min_size = 16, 128
    latents = torch.randn(6, 4, 24, 40, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        plain = vae.decode(latents).sample
        with seamless(pipeline, tiling):
            decoded = vae.decode(latents).sample
        assert decoded.shape == plain.shape
        for side in meeting:
            seam, inside = across(decoded, side)
            assert seam < 1.25 * inside
        assert torch.equal(vae.decode(latents).sample, plain), "afterwards all is as before"
