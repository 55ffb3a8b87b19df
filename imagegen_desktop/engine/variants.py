"""How a denoiser in a single file differs from the one its kit describes, told by its tensors' shapes.

One kit serves all of a family's variants this way: an inpainting UNet, schnell or dev, medium or large.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]

#: Of the denoiser's names in a whole checkpoint.
PREFIX = "model.diffusion_model."
#: Channels of one attention head in every Stable Diffusion 3.
_HEAD = 64


def changes(kind: str, shapes: Shapes) -> dict[str, Any]:
    """Settings of that diffusers class that the file decides; `shapes` by the names in the file."""
    known = _READERS.get(kind)
    if known is None:
        return {}
    inside = {name.removeprefix(PREFIX): shape for name, shape in shapes.items()}
    return {name: value for name, value in known(inside).items() if value is not None}


def _unet(shapes: Shapes) -> dict[str, Any]:
    return {"in_channels": _size(shapes, 1, "input_blocks.0.0.weight", "conv_in.weight")}


def _flux(shapes: Shapes) -> dict[str, Any]:
    return {
        "in_channels": _size(shapes, 1, "img_in.weight", "x_embedder.weight"),
        "out_channels": _size(shapes, 0, "final_layer.linear.weight", "proj_out.weight"),
        "num_layers": _count(shapes, "double_blocks.", "transformer_blocks."),
        "num_single_layers": _count(shapes, "single_blocks.", "single_transformer_blocks."),
        "guidance_embeds": any("guidance_in." in name or ".guidance_embedder." in name for name in shapes),
    }


def _flux_2(shapes: Shapes) -> dict[str, Any]:
    head = _size(shapes, 0, "double_blocks.0.img_attn.norm.query_norm.scale", "transformer_blocks.0.attn.norm_q.weight")
    inner = _size(shapes, 0, "img_in.weight", "x_embedder.weight")
    return _flux(shapes) | {
        "joint_attention_dim": _size(shapes, 1, "txt_in.weight", "context_embedder.weight"),
        "attention_head_dim": head,
        "num_attention_heads": inner // head if inner and head else None,
    }


def _stable_diffusion_3(shapes: Shapes) -> dict[str, Any]:
    """In 3.5 large 38 blocks of 38 heads; in medium 24, the first 13 of which look twice."""
    blocks = ("joint_blocks.", "transformer_blocks.")
    inner = _size(shapes, 0, "x_embedder.proj.weight", "pos_embed.proj.weight")
    places = _size(shapes, 1, "pos_embed", "pos_embed.pos_embed")
    twice = {int(name.split(".")[1]) for name in shapes if name.startswith(blocks) and ".attn2." in name}
    normed = any(".ln_q." in name or ".norm_q." in name for name in shapes)
    return {
        "num_layers": _count(shapes, *blocks),
        "caption_projection_dim": _size(shapes, 0, "context_embedder.weight"),
        "joint_attention_dim": _size(shapes, 1, "context_embedder.weight"),
        "pos_embed_max_size": math.isqrt(places) if places else None,
        "dual_attention_layers": tuple(sorted(twice)),
        "qk_norm": "rms_norm" if normed else None,
        "num_attention_heads": inner // _HEAD if inner and inner % _HEAD == 0 else None,
    }


_READERS: Mapping[str, Callable[[Shapes], dict[str, Any]]] = {
    "UNet2DConditionModel": _unet,
    "FluxTransformer2DModel": _flux,
    "Flux2Transformer2DModel": _flux_2,
    "SD3Transformer2DModel": _stable_diffusion_3,
}


def _size(shapes: Shapes, dimension: int, *names: str) -> int | None:
    return next((shapes[name][dimension] for name in names if name in shapes), None)


def _count(shapes: Shapes, *beginnings: str) -> int | None:
    """How many numbered blocks there are below one of the beginnings."""
    numbers = {int(name.split(".")[1]) for name in shapes if name.startswith(beginnings)}
    return len(numbers) or None
