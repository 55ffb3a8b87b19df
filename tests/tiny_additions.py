"""Tiny LoRAs, embeddings, autoencoders, ControlNets, IP-Adapters for the tiny models, with numbers drawn by chance."""

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


def image_encoder(place: Path, hidden: int = 32, projection: int = 24, heads: int = 2, seed: int = 13) -> Path:
    """A folder with a CLIP image encoder that looks at 32 × 32 pixels."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(seed)
    sizes = {"num_hidden_layers": 3, "num_attention_heads": heads, "image_size": 32, "patch_size": 8}
    config = CLIPVisionConfig(
        hidden_size=hidden, projection_dim=projection, intermediate_size=48, hidden_act="gelu", **sizes
    )
    CLIPVisionModelWithProjection(config).save_pretrained(place)
    return place


def ip_adapter(model: Path, place: Path, layout: str = "base", hidden: int = 32, projection: int = 24) -> Path:
    """An IP-Adapter's file for that model, for the image encoder of those widths: "base", "plus" or "full"."""
    import diffusers

    unet = diffusers.UNet2DConditionModel.from_pretrained(model / "unet", local_files_only=True)
    chance, wide = torch.Generator().manual_seed(17), unet.config.cross_attention_dim
    shapes = {f"image_proj.{name}": shape for name, shape in _projection(layout, hidden, projection, wide).items()}
    for number, (name, attention) in enumerate(_attentions(unet)):
        if name.endswith("attn2"):
            inner = attention.to_k.out_features
            shapes |= {f"ip_adapter.{number}.to_{part}_ip.weight": (inner, wide) for part in "kv"}
    tensors = {name: torch.randn(shape, generator=chance) / 2 for name, shape in shapes.items()}
    save_file(tensors, place)
    return place


def _attentions(unet: Any) -> list[tuple[str, Any]]:
    names = [name.removesuffix(".processor") for name in unet.attn_processors]
    return [(name, unet.get_submodule(name)) for name in names]


def _projection(layout: str, hidden: int, projection: int, wide: int) -> dict[str, tuple[int, ...]]:
    """What turns an image encoder's answer into a few words: names and shapes as they were published."""
    if layout == "base":
        return {"proj.weight": (4 * wide, projection), "proj.bias": (4 * wide,)} | _norm("norm", wide)
    if layout == "full":
        return {"proj.0.weight": (hidden, hidden), "proj.0.bias": (hidden,), "proj.2.weight": (wide, hidden),
                "proj.2.bias": (wide,)} | _norm("proj.3", wide)  # fmt: skip
    inner, queries = 64, 5
    shapes: dict[str, tuple[int, ...]] = {
        "latents": (1, queries, inner), "proj_in.weight": (inner, hidden), "proj_in.bias": (inner,),
        "proj_out.weight": (wide, inner), "proj_out.bias": (wide,),
    }  # fmt: skip
    shapes |= _norm("norm_out", wide)
    for layer in (f"layers.{number}" for number in range(4)):
        shapes |= _norm(f"{layer}.0.norm1", inner) | _norm(f"{layer}.0.norm2", inner) | _norm(f"{layer}.1.0", inner)
        shapes |= {f"{layer}.0.to_q.weight": (inner, inner), f"{layer}.0.to_kv.weight": (2 * inner, inner)}
        shapes |= {f"{layer}.0.to_out.weight": (inner, inner), f"{layer}.1.1.weight": (4 * inner, inner)}
        shapes |= {f"{layer}.1.3.weight": (inner, 4 * inner)}
    return shapes


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def depth_estimator(place: Path) -> Path:
    """A folder with a Depth Anything of chance, whose processor asks for 42 × 42 pixels."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    torch.manual_seed(3)
    stages = ["stage1", "stage2", "stage3", "stage4"]
    sizes = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 42, "patch_size": 14}
    eyes = Dinov2Config(**sizes, out_features=stages, apply_layernorm=True, reshape_hidden_states=False)
    necks = {"reassemble_hidden_size": 16, "neck_hidden_sizes": [8] * 4, "fusion_hidden_size": 8}
    network = DepthAnythingForDepthEstimation(DepthAnythingConfig(backbone_config=eyes, head_hidden_size=8, **necks))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # a new one sees the same depth everywhere
    network.head.conv3.bias.data[:] = 9.0
    return _looking(place, network, "DPTImageProcessor", 42, 42)


def person_detector(place: Path, finds: bool = True) -> Path:
    """A folder with an RT-DETR of chance that sees a few persons anywhere, or nobody."""
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrResNetConfig

    torch.manual_seed(4)
    stages = {"depths": [1] * 4, "layer_type": "basic", "out_features": ["stage2", "stage3", "stage4"]}
    eyes = RTDetrResNetConfig(embedding_size=8, hidden_sizes=[8] * 4, **stages)
    encoder = {"encoder_hidden_dim": 16, "encoder_in_channels": [8] * 3, "encoder_ffn_dim": 16}
    decoder = {"d_model": 16, "decoder_in_channels": [16] * 3, "decoder_ffn_dim": 16, "decoder_n_points": 1}
    few = {"decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "num_denoising": 0}
    names = {"id2label": {0: "person", 1: "kite"}, "label2id": {"person": 0, "kite": 1}, "num_queries": 3}
    network = RTDetrForObjectDetection(RTDetrConfig(backbone_config=eyes, **encoder, **decoder, **few, **names))
    for name, parameter in network.named_parameters():
        if "class_embed" in name and name.endswith("bias"):
            parameter.data[:] = torch.tensor((3.0, -3.0)) if finds else -9.0
    return _looking(place, network, "RTDetrImageProcessor", 64, 64)


def pose_estimator(place: Path, finds: bool = True) -> Path:
    """A folder with a ViTPose of chance that is sure of every point, or of none."""
    from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation

    torch.manual_seed(5)
    sizes = {"image_size": [64, 48], "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    eyes = VitPoseBackboneConfig(**sizes, out_features=["stage1"])
    names = {"id2label": {number: str(number) for number in range(17)}}
    network = VitPoseForPoseEstimation(VitPoseConfig(backbone_config=eyes, use_simple_decoder=True, **names))
    network.head.conv.bias.data[:] = 2.0 if finds else -9.0
    return _looking(place, network, "VitPoseImageProcessor", 64, 48)


def _looking(place: Path, network: Any, processor: str, high: int, wide: int) -> Path:
    """The folder of a network of transformers that looks at pictures of one size."""
    network.save_pretrained(place)
    said = {"image_processor_type": processor, "size": {"height": high, "width": wide}, "do_rescale": True,
            "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}  # fmt: skip
    (place / "preprocessor_config.json").write_text(json.dumps(said))
    return place


#: What makes each kind of network that prepares pictures.
ESTIMATORS = {
    "depth-estimator": depth_estimator,
    "person-detector": person_detector,
    "pose-estimator": pose_estimator,
}


def estimators(place: Path) -> Path:
    """One of each kind, in folders of their kinds' names."""
    for kind, make in ESTIMATORS.items():
        make(place / kind)
    return place


def extra(kind: str, path: Path, name: str = "mine") -> dict[str, Any]:
    """An entry of a command's `extras`."""
    return {"kind": kind, "name": name, "path": str(path), "format": "folder" if path.is_dir() else "safetensors"}
