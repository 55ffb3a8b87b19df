"""What a file's tensors tell about its denoiser: read from the published layouts, nothing the kit knows better."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from imagegen_desktop.engine.variants import changes

CONFIGS = Path(__file__).resolve().parents[2] / "resources" / "configs"
WHOLE = "model.diffusion_model."


@pytest.mark.parametrize(
    ("family", "part"),
    [
        ("sd1", "unet"),
        ("sdxl", "unet"),
        ("sd3", "transformer"),
        ("flux", "transformer"),
        ("flux-fill", "transformer"),
        ("flux2", "transformer"),
    ],
)
def test_the_published_model_is_told_as_its_kit_describes_it(family: str, part: str) -> None:
    config: dict[str, Any] = json.loads((CONFIGS / family / part / "config.json").read_text())
    with torch.device("meta"):
        model = getattr(diffusers, config["_class_name"]).from_config(config)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    told = changes(config["_class_name"], shapes)
    known = dict(model.config) | {"dual_attention_layers": tuple(model.config.get("dual_attention_layers", ()))}
    # An output as wide as the input is not written down.
    known["out_channels"] = known["out_channels"] or known["in_channels"]
    assert told == {name: known[name] for name in told}
    assert told


def blocks(name: str, count: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{number}.x": (1,) for number in range(count)}


@pytest.mark.parametrize(
    ("kind", "shapes", "told"),
    [
        ("UNet2DConditionModel", {WHOLE + "input_blocks.0.0.weight": (320, 9, 3, 3)}, {"in_channels": 9}),
        (
            "FluxTransformer2DModel",
            {"img_in.weight": (3072, 384), "guidance_in.in_layer.weight": (3072, 256)}
            | {"final_layer.linear.weight": (64, 3072)}
            | blocks("double_blocks", 19)
            | blocks("single_blocks", 38),
            {"in_channels": 384, "out_channels": 64, "num_layers": 19, "num_single_layers": 38}
            | {"guidance_embeds": True},
        ),
        (
            "FluxTransformer2DModel",
            {WHOLE + "img_in.weight": (3072, 64)},
            {"in_channels": 64, "guidance_embeds": False},
        ),
        (
            "SD3Transformer2DModel",
            {WHOLE + "x_embedder.proj.weight": (1536, 16, 2, 2), WHOLE + "pos_embed": (1, 384 * 384, 1536)}
            | {
                WHOLE + "context_embedder.weight": (1536, 4096),
                WHOLE + "joint_blocks.0.x_block.attn.ln_q.weight": (64,),
            }
            | {f"{WHOLE}joint_blocks.{number}.x_block.attn2.qkv.weight": (1,) for number in range(13)}
            | blocks(WHOLE + "joint_blocks", 24),
            {"num_layers": 24, "num_attention_heads": 24, "caption_projection_dim": 1536, "joint_attention_dim": 4096}
            | {"pos_embed_max_size": 384, "dual_attention_layers": tuple(range(13)), "qk_norm": "rms_norm"},
        ),
        ("ZImageTransformer2DModel", {"layers.0.x": (1,)}, {}),
    ],
)
def test_variants_are_told_from_names_and_sizes(
    kind: str, shapes: dict[str, tuple[int, ...]], told: dict[str, Any]
) -> None:
    assert changes(kind, shapes) == told
