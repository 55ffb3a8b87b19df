"""FLUX.1's tensors under their makers' names, brought under those of diffusers at whatever width they have.

diffusers' own converter cuts fused layers at the width of the published model alone; for that one both do the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from .variants import PREFIX

_AROUND = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_DOUBLE = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
}
_SINGLE = {
    "modulation.lin": "norm.linear",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
    "linear2": "proj_out",
}
#: One layer of theirs → those of diffusers it holds, one below the other; the last has the rows that are left.
_FUSED = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
}
_BLOCKS = {"double_blocks": ("transformer_blocks", _DOUBLE), "single_blocks": ("single_transformer_blocks", _SINGLE)}

Tensors = Mapping[str, torch.Tensor]


def renamed(tensors: Tensors) -> dict[str, torch.Tensor]:
    """The denoiser's tensors as diffusers names them; whatever else a file holds is left out."""
    inside = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
    width = len(inside["img_in.bias"])
    return {new: part for name, tensor in inside.items() for new, part in _of(name, tensor, width)}


def _of(name: str, tensor: torch.Tensor, width: int) -> Iterator[tuple[str, torch.Tensor]]:
    layer, _, end = name.rpartition(".")
    blocks, _, inside = layer.partition(".")
    if blocks in _BLOCKS:
        place, known = _BLOCKS[blocks]
        number, _, layer = inside.partition(".")
        for new, part in _parts(layer, tensor, width, known):
            yield f"{place}.{number}.{new}.{'weight' if end == 'scale' else end}", part
    elif layer == "final_layer.adaLN_modulation.1":
        shift, scale = tensor.chunk(2, dim=0)
        yield f"{_AROUND[layer]}.{end}", torch.cat([scale, shift], dim=0)
    elif layer in _AROUND:
        yield f"{_AROUND[layer]}.{end}", tensor


def _parts(
    layer: str, tensor: torch.Tensor, width: int, known: Mapping[str, str]
) -> Iterator[tuple[str, torch.Tensor]]:
    if layer not in _FUSED:
        yield known[layer], tensor
        return
    names = _FUSED[layer]
    rows = [width] * (len(names) - 1)
    for new, part in zip(names, torch.split(tensor, [*rows, len(tensor) - sum(rows)], dim=0), strict=True):
        yield new, torch.cat([part])
