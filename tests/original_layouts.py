"""Tiny models as one file, under the names their makers gave the tensors; the way back of diffusers' conversions."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Tensors = dict[str, torch.Tensor]


def write(family: str, folder: Path, file: Path) -> Path:
    """The model in `folder` as a single safetensors file; the file."""
    tensors = LAYOUTS[family](folder)
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, file)
    return file


def write_gguf(family: str, folder: Path, file: Path) -> Path:
    """Its denoiser alone as GGUF, in 8 bits where rows divide into blocks of 32; the file."""
    import gguf

    prefix = "model.diffusion_model."
    writer = gguf.GGUFWriter(file, arch=family)
    for name, tensor in LAYOUTS[family](folder).items():
        if family in _WHOLE and not name.startswith(prefix):
            continue
        numbers = tensor.float().contiguous().numpy()
        if tensor.ndim == 2 and tensor.shape[0] > 1 and tensor.shape[1] % 32 == 0:
            packed = gguf.quants.quantize(numbers, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(name.removeprefix(prefix), packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(name.removeprefix(prefix), numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def kit_of(folder: Path, kit: Path, without: tuple[str, ...]) -> Path:
    """A copy of a model's folder that has no weights of those parts; the copy."""
    if not kit.exists():
        shutil.copytree(folder, kit)
        for part in without:
            for weights in (kit / part).glob("*.safetensors"):
                weights.unlink()
    return kit


# ---- Stable Diffusion 1, 2 and XL -------------------------------------------------------------------------

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}


def _unet(folder: Path) -> Tensors:
    layers = json.loads((folder / "unet" / "config.json").read_text())["layers_per_block"]
    state = _state(folder / "unet")
    named = {}
    for name, tensor in state.items():
        ours = _renamed(name, _UNET)
        if found := re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.", name):
            side, block, part, layer = found[1], int(found[2]), found[3], int(found[4])
            first = block * (layers + 1)
            rest = name[found.end() :]
            if side == "down":
                shrinks = part == "downsamplers"
                place = first + 1 + (layers if shrinks else layer)
                inside = rest.replace("conv.", "op.") if shrinks else rest
                ours = f"input_blocks.{place}.{int(part == 'attentions')}.{inside}"
            elif part == "upsamplers":
                attends = any(key.startswith(f"up_blocks.{block}.attentions.") for key in state)
                ours = f"output_blocks.{first + layers}.{1 + attends}.{rest}"
            else:
                ours = f"output_blocks.{first + layer}.{int(part == 'attentions')}.{rest}"
        if ".resnets." in name:
            ours = _inside(ours, _RESNET)
        named[f"model.diffusion_model.{ours}"] = tensor
    return named


_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def _vae(folder: Path) -> Tensors:
    state = _state(folder / "vae")
    blocks = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("decoder.up_blocks."))
    named = {}
    for name, tensor in state.items():
        ours = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
        ours = re.sub(r"down_blocks\.(\d+)\.resnets\.(\d+)", r"down.\1.block.\2", ours)
        ours = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", ours)
        ours = re.sub(r"up_blocks\.(\d+)\.resnets\.(\d+)", lambda m: f"up.{blocks - 1 - int(m[1])}.block.{m[2]}", ours)
        ours = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{blocks - 1 - int(m[1])}.upsample", ours)
        ours = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", ours)
        if "mid_block.attentions.0" in ours:
            ours = _inside(ours.replace("mid_block.attentions.0", "mid.attn_1"), _ATTENTION)
        as_kernel = "mid.attn_1" in ours and tensor.ndim == 2
        named[f"first_stage_model.{ours}"] = tensor[:, :, None, None] if as_kernel else tensor
    return named


def _clip(folder: Path, prefix: str) -> Tensors:
    """As Hugging Face's CLIP of old, whose parts lie in a `text_model`."""
    state = _state(folder)
    return {
        f"{prefix}{name if name.startswith(('text_model.', 'text_projection.')) else 'text_model.' + name}": tensor
        for name, tensor in state.items()
    }


_OPEN_CLIP = {
    "embeddings.position_embedding.weight": "positional_embedding",
    "embeddings.token_embedding": "token_embedding",
    "final_layer_norm": "ln_final",
    "encoder.layers": "transformer.resblocks",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def _open_clip(folder: Path, prefix: str) -> Tensors:
    state = {name.removeprefix("text_model."): tensor for name, tensor in _state(folder).items()}
    named = {}
    for name, tensor in state.items():
        if name == "text_projection.weight":
            named[f"{prefix}text_projection"] = tensor.T
        elif ".q_proj." in name:
            rows = torch.cat([state[name.replace(".q_proj.", f".{part}_proj.")] for part in "qkv"])
            named[prefix + _inside(name.replace("self_attn.q_proj.", "attn.in_proj_"), _OPEN_CLIP)] = rows
        elif ".k_proj." not in name and ".v_proj." not in name:
            named[prefix + _inside(name, _OPEN_CLIP)] = tensor
    return named


def _stable_diffusion(folder: Path) -> Tensors:
    return _unet(folder) | _vae(folder) | _clip(folder / "text_encoder", "cond_stage_model.transformer.")


def _stable_diffusion_2(folder: Path) -> Tensors:
    return _unet(folder) | _vae(folder) | _open_clip(folder / "text_encoder", "cond_stage_model.model.")


def _stable_diffusion_xl(folder: Path) -> Tensors:
    texts = _clip(folder / "text_encoder", "conditioner.embedders.0.transformer.")
    texts |= _open_clip(folder / "text_encoder_2", "conditioner.embedders.1.model.")
    return _unet(folder) | _vae(folder) | texts


# ---- transformers -----------------------------------------------------------------------------------------

_SD3 = {
    "pos_embed.pos_embed": "pos_embed",
    "pos_embed.proj": "x_embedder.proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
    "proj_out": "final_layer.linear",
}
_SD3_BLOCK = {
    "attn.to_out.0": "x_block.attn.proj",
    "attn.to_add_out": "context_block.attn.proj",
    "norm1.linear": "x_block.adaLN_modulation.1",
    "norm1_context.linear": "context_block.adaLN_modulation.1",
    "ff.net.0.proj": "x_block.mlp.fc1",
    "ff.net.2": "x_block.mlp.fc2",
    "ff_context.net.0.proj": "context_block.mlp.fc1",
    "ff_context.net.2": "context_block.mlp.fc2",
    "attn.to_q": "x_block.attn.qkv",
    "attn.add_q_proj": "context_block.attn.qkv",
}


def _stable_diffusion_3(folder: Path) -> Tensors:
    state = _state(folder / "transformer")
    last = max(int(name.split(".")[1]) for name in state if name.startswith("transformer_blocks."))
    named = {}
    for name, tensor in _fused(state).items():
        swapped = name.startswith(("norm_out.linear", f"transformer_blocks.{last}.norm1_context"))
        ours = _renamed(name.replace("transformer_blocks.", "joint_blocks."), _SD3)
        parts = ours.split(".", 2)
        ours = ".".join([*parts[:2], _renamed(parts[2], _SD3_BLOCK)]) if parts[0] == "joint_blocks" else ours
        named[f"model.diffusion_model.{ours}"] = _halves_swapped(tensor) if swapped else tensor
    named |= _vae(folder)
    named |= _clip(folder / "text_encoder", "text_encoders.clip_l.transformer.")
    named |= _clip(folder / "text_encoder_2", "text_encoders.clip_g.transformer.")
    t5 = _state(folder / "text_encoder_3")
    t5["encoder.embed_tokens.weight"] = t5["shared.weight"]
    return named | {f"text_encoders.t5xxl.transformer.{name}": tensor for name, tensor in t5.items()}


_FLUX_2 = {
    "x_embedder": "img_in",
    "context_embedder": "txt_in",
    "time_guidance_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_guidance_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "double_stream_modulation_img.linear": "double_stream_modulation_img.lin",
    "double_stream_modulation_txt.linear": "double_stream_modulation_txt.lin",
    "single_stream_modulation.linear": "single_stream_modulation.lin",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
    "proj_out": "final_layer.linear",
}
_FLUX_2_BLOCK = {
    "attn.norm_q.weight": "img_attn.norm.query_norm.scale",
    "attn.norm_k.weight": "img_attn.norm.key_norm.scale",
    "attn.norm_added_q.weight": "txt_attn.norm.query_norm.scale",
    "attn.norm_added_k.weight": "txt_attn.norm.key_norm.scale",
    "attn.to_out.0": "img_attn.proj",
    "attn.to_add_out": "txt_attn.proj",
    "ff.linear_in": "img_mlp.0",
    "ff.linear_out": "img_mlp.2",
    "ff_context.linear_in": "txt_mlp.0",
    "ff_context.linear_out": "txt_mlp.2",
    "attn.to_q": "img_attn.qkv",
    "attn.add_q_proj": "txt_attn.qkv",
}
_FLUX_2_SINGLE = {
    "attn.to_qkv_mlp_proj": "linear1",
    "attn.to_out": "linear2",
    "attn.norm_q.weight": "norm.query_norm.scale",
    "attn.norm_k.weight": "norm.key_norm.scale",
}


def _flux_2(folder: Path) -> Tensors:
    named = {}
    for name, tensor in _fused(_state(folder / "transformer")).items():
        blocks, _, rest = name.partition(".")
        number, _, inside = rest.partition(".")
        if blocks == "transformer_blocks":
            ours = f"double_blocks.{number}.{_renamed(inside, _FLUX_2_BLOCK)}"
        elif blocks == "single_transformer_blocks":
            ours = f"single_blocks.{number}.{_renamed(inside, _FLUX_2_SINGLE)}"
        else:
            ours = _renamed(name, _FLUX_2)
        named[ours] = _halves_swapped(tensor) if name.startswith("norm_out.linear") else tensor
    return named


_FLUX = {
    "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
    "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
    "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "context_embedder": "txt_in",
    "x_embedder": "img_in",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
    "proj_out": "final_layer.linear",
}
_FLUX_BLOCK = {name: theirs for name, theirs in _FLUX_2_BLOCK.items() if not name.startswith("ff")} | {
    "norm1.linear": "img_mod.lin",
    "norm1_context.linear": "txt_mod.lin",
    "ff.net.0.proj": "img_mlp.0",
    "ff.net.2": "img_mlp.2",
    "ff_context.net.0.proj": "txt_mlp.0",
    "ff_context.net.2": "txt_mlp.2",
}
_FLUX_SINGLE = {
    "norm.linear": "modulation.lin",
    "attn.norm_q.weight": "norm.query_norm.scale",
    "attn.norm_k.weight": "norm.key_norm.scale",
    "attn.to_q": "linear1",
    "proj_out": "linear2",
}


def _flux(folder: Path) -> Tensors:
    named, state = {}, _fused(_state(folder / "transformer"))
    for name, tensor in state.items():
        blocks, _, rest = name.partition(".")
        number, _, inside = rest.partition(".")
        if blocks == "transformer_blocks":
            named[f"double_blocks.{number}.{_renamed(inside, _FLUX_BLOCK)}"] = tensor
        elif blocks == "single_transformer_blocks" and not inside.startswith("proj_mlp"):
            beside = state[name.replace("attn.to_q", "proj_mlp")] if inside.startswith("attn.to_q") else tensor[:0]
            named[f"single_blocks.{number}.{_renamed(inside, _FLUX_SINGLE)}"] = torch.cat([tensor, beside])
        elif blocks != "single_transformer_blocks":
            named[_renamed(name, _FLUX)] = _halves_swapped(tensor) if name.startswith("norm_out.linear") else tensor
    return named


_Z_IMAGE = {
    "all_final_layer.2-1.": "final_layer.",
    "all_x_embedder.2-1.": "x_embedder.",
    ".attention.to_out.0.": ".attention.out.",
    ".attention.norm_k.": ".attention.k_norm.",
    ".attention.norm_q.": ".attention.q_norm.",
    ".attention.to_q.": ".attention.qkv.",
}


def _z_image(folder: Path) -> Tensors:
    return {
        f"model.diffusion_model.{_inside(name, _Z_IMAGE)}": tensor
        for name, tensor in _fused(_state(folder / "transformer")).items()
    }


def _fused(state: Tensors) -> Tensors:
    """Query, key and value in one tensor, under the query's name."""
    fused = {}
    for name, tensor in state.items():
        if ".to_q." in name:
            fused[name] = torch.cat([state[name.replace(".to_q.", f".to_{part}.")] for part in "qkv"])
        elif ".add_q_proj." in name:
            fused[name] = torch.cat([state[name.replace(".add_q_proj.", f".add_{part}_proj.")] for part in "qkv"])
        elif not re.search(r"\.(to_k|to_v|add_k_proj|add_v_proj)\.", name):
            fused[name] = tensor
    return fused


def _halves_swapped(tensor: torch.Tensor) -> torch.Tensor:
    """Shift before scale, where diffusers has scale before shift."""
    first, second = tensor.chunk(2)
    return torch.cat([second, first])


def _renamed(name: str, names: Mapping[str, str]) -> str:
    """By the longest beginning that is known."""
    known = [old for old in names if name == old or name.startswith(old + ".")]
    return names[max(known, key=len)] + name[len(max(known, key=len)) :] if known else name


def _inside(name: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        name = name.replace(old, new)
    return name


def _state(folder: Path) -> Tensors:
    return {name: tensor for file in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(file).items()}


def as_in_diffusers(folder: Path) -> Tensors:
    return _state(folder / "transformer")


_WHOLE = ("sd1", "sd2", "sdxl", "sd3")
LAYOUTS: dict[str, Callable[[Path], Any]] = {
    "sd1": _stable_diffusion,
    "sd2": _stable_diffusion_2,
    "sdxl": _stable_diffusion_xl,
    "sd3": _stable_diffusion_3,
    "flux": _flux,
    "flux-kontext": _flux,
    "flux-fill": _flux,
    "flux2": _flux_2,
    "zimage": _z_image,
    "qwen": as_in_diffusers,
}
