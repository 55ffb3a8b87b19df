"""Tiny LoRAs, embeddings, autoencoders and ControlNets for the tiny models, with numbers drawn by chance."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

_DENOISER = (".to_q.weight", ".to_k.weight", ".to_v.weight", ".to_out.0.weight")
_ENCODER = (".q_proj.weight", ".k_proj.weight", ".v_proj.weight", ".out_proj.weight")
_RANK = 4


def lora(
    model: Path, place: Path, layout: str = "peft", text: bool = True, seed: int = 0, ends: Any = _ENCODER
) -> Path:
    """A LoRA for that model's attention, as "peft" or as "kohya" writes them; `text`: for its text encoders as well."""
    chance = torch.Generator().manual_seed(seed)
    tensors: dict[str, torch.Tensor] = {}
    for part in ("unet", "transformer", "text_encoder", "text_encoder_2"):
        if not (model / part).is_dir() or (part.startswith("text") and not text) or _class_of(model / part) == "T5":
            continue
        for name, (wide, tall) in _layers(model / part, ends if part.startswith("text") else _DENOISER):
            down, up = torch.randn(_RANK, tall, generator=chance) / 3, torch.randn(wide, _RANK, generator=chance) / 3
            if layout == "peft":
                tensors |= {f"{part}.{name}.lora_A.weight": down, f"{part}.{name}.lora_B.weight": up}
            else:
                named = f"{_kohya(model, part)}_{name.replace('.', '_')}"
                tensors |= {f"{named}.lora_down.weight": down, f"{named}.lora_up.weight": up}
                tensors[f"{named}.alpha"] = torch.tensor(_RANK / 2)
    save_file(tensors, place)
    return place


def _kohya(model: Path, part: str) -> str:
    if not part.startswith("text"):
        return "lora_unet"
    if not (model / "text_encoder_2").is_dir():
        return "lora_te"
    return "lora_te2" if part.endswith("2") else "lora_te1"


def _class_of(part: Path) -> str:
    kind = json.loads((part / "config.json").read_text())
    return "T5" if "T5EncoderModel" in kind.get("architectures", ()) else ""


def _layers(part: Path, ends: tuple[str, ...]) -> list[tuple[str, tuple[int, int]]]:
    found = []
    with safe_open(next(part.glob("*.safetensors")), framework="pt") as file:
        for name in file.keys():  # noqa: SIM118  it is no mapping
            if name.endswith(ends):
                wide, tall = file.get_slice(name).get_shape()
                found.append((name.removesuffix(".weight"), (wide, tall)))
    return found


def embedding(place: Path, width: int = 32, vectors: int = 3, layout: str = "a1111", seed: int = 0) -> Path:
    """Textual inversion as "a1111", "diffusers" or "sdxl" keeps it."""
    rows = torch.randn(vectors, width, generator=torch.Generator().manual_seed(seed))
    named = {"a1111": {"emb_params": rows}, "diffusers": {"<mine>": rows[0].clone()}}
    save_file(named.get(layout) or {"clip_l": rows, "clip_g": rows.flip(0).contiguous()}, place)
    return place


def autoencoder(place: Path, channels: int = 4, seed: int = 5) -> Path:
    """A folder with another autoencoder."""
    from tests import tiny_models

    torch.manual_seed(seed)
    tiny_models.autoencoder(channels).save_pretrained(place)
    return place


def controlnet(model: Path, place: Path, seed: int = 9) -> Path:
    """A folder with a ControlNet for that model that has something to say."""
    import diffusers

    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if (model / "unet").is_dir():
            unet = diffusers.UNet2DConditionModel.from_pretrained(model / "unet", local_files_only=True)
            net = diffusers.ControlNetModel.from_unet(unet)
        else:
            kind = json.loads((model / "transformer" / "config.json").read_text())["_class_name"]
            denoiser = getattr(diffusers, kind).from_pretrained(model / "transformer", local_files_only=True)
            net = _beside_transformer(denoiser)
        for parameter in net.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.2)  # a new one says nothing
        net.save_pretrained(place)
    return place


def _beside_transformer(denoiser: Any) -> Any:
    import diffusers

    if type(denoiser).__name__ == "SD3Transformer2DModel":
        options = {"num_layers": 1, "num_extra_conditioning_channels": 0, "load_weights_from_transformer": False}
        return diffusers.SD3ControlNetModel.from_transformer(denoiser, **options)
    sizes = {"num_layers": 1, "num_single_layers": 1, "attention_head_dim": 16, "num_attention_heads": 2}
    return diffusers.FluxControlNetModel.from_transformer(denoiser, **sizes)


def depth_model(place: Path) -> Path:
    """A folder with a depth-estimation model of chance, whose processor asks for 32 × 32 pixels."""
    from transformers import DPTConfig, DPTForDepthEstimation

    torch.manual_seed(3)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2}
    necks = {"neck_hidden_sizes": [8] * 4, "fusion_hidden_size": 8, "backbone_out_indices": [0, 1, 2, 3]}
    DPTForDepthEstimation(DPTConfig(image_size=32, patch_size=8, **sizes, **necks)).save_pretrained(place)
    processor = {"image_processor_type": "DPTImageProcessor", "size": {"height": 32, "width": 32}, "do_rescale": True,
                 "do_normalize": True, "do_resize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}  # fmt: skip
    (place / "preprocessor_config.json").write_text(json.dumps(processor))
    return place


def extra(kind: str, path: Path, name: str = "mine") -> dict[str, Any]:
    """An entry of a command's `extras`."""
    return {"kind": kind, "name": name, "path": str(path), "format": "folder" if path.is_dir() else "safetensors"}
