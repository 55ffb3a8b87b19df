"""Seamless pictures: also those that are decoded in tiles have no seam where their edges meet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch

from imagegen_desktop.engine.tiling import seamless
from tests import tiny_additions

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


def test_controlnets_look_across_the_edges_too(tiny: Tiny, tmp_path: Path) -> None:
    pipeline = diffusers.DiffusionPipeline.from_pretrained(tiny("sd1"), local_files_only=True)
    folder = tiny_additions.controlnet(tiny("sd1"), tmp_path / "net")
    net = diffusers.ControlNetModel.from_pretrained(folder, local_files_only=True)
    chance = torch.Generator().manual_seed(1)
    latents, shapes = torch.randn(1, 4, 16, 16, generator=chance), torch.rand(1, 3, 128, 128, generator=chance)
    words = torch.randn(1, 5, net.config.cross_attention_dim, generator=chance)

    def said(shift: int) -> torch.Tensor:
        rolled = latents.roll(shift, -1), shapes.roll(8 * shift, -1)
        down, _ = net(rolled[0], 5, encoder_hidden_states=words, controlnet_cond=rolled[1], return_dict=False)
        return torch.cat([part.roll(-shift * part.shape[-1] // 16, -1).flatten() for part in down])

    with torch.no_grad(), seamless(pipeline, "x", [net]):
        assert torch.allclose(said(0), said(8), atol=1e-4), "a picture's parts are the same wherever they lie"
    with torch.no_grad():
        assert not torch.allclose(said(0), said(8), atol=1e-4)
