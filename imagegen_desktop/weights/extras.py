"""Recognises what is used together with a model: LoRAs, embeddings, ControlNets, autoencoders, upscalers …"""

from __future__ import annotations

from ..domain.model_card import (
    CONTROLNET,
    EMBEDDING,
    IMAGE_ENCODER,
    IP_ADAPTER,
    LORA,
    PREVIEW_DECODER,
    UPSCALER,
    VAE,
)
from .layouts import HIDDEN, PROJECTION, Finding, Weights, feature

_LORA_ENDS = (
    ".lora_down.weight", ".lora_up.weight", ".lora_A.weight", ".lora_B.weight", ".lora.down.weight", ".lora.up.weight",
    ".lora_A.default.weight", ".lora_linear_layer.down.weight", "_lora.down.weight", "_lora1.down.weight",
    ".hada_w1_a", ".lokr_w1", ".lokr_w1_a", ".lokr_w2", ".oft_blocks", ".oft_diag",
)  # fmt: skip
_DOWN_ENDS = tuple(end for end in _LORA_ENDS if "down" in end or "_A" in end or end in (".hada_w1_a", ".lokr_w1_a"))

#: Width of what a cross-attention reads → the families whose text encoders are that wide.
_FAMILY_OF_TEXT = {768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "sdxl"}

#: Begins of names → the family of a LoRA, whatever tool wrote it; the first that fits.
_FAMILY_OF_LORA = (
    ("flux2", ("double_stream_modulation", "single_stream_modulation")),
    ("flux", ("double_blocks", "single_blocks", "single_transformer_blocks")),
    ("sd3", ("joint_blocks",)),
    ("qwen", ("transformer_blocks_0_img_m", "transformer_blocks.0.img_m")),
    ("zimage", ("noise_refiner", "context_refiner", "layers.0.attention", "layers_0_attention")),
    ("qwen", ("transformer_blocks.0.attn.add_k_proj", "transformer_blocks_0_attn_add_k_proj")),
    ("sdxl", ("te2_", "text_encoder_2.", "input_blocks_4_1", "down_blocks_1_attentions_0_transformer_blocks_1")),
)


def extra(weights: Weights) -> Finding | None:
    """What the file adds to a model; None when it is none of these."""
    beside = (_lora, _ip_adapter, _image_encoder, _controlnet, _embedding)
    for recognise in (*beside, _preview_decoder, _autoencoder, _upscaler):
        found = recognise(weights)
        if found is not None:
            return found
    return None


def _lora(weights: Weights) -> Finding | None:
    if not weights.ends(*_LORA_ENDS):
        return None
    downs = [name for name in weights.shapes if name.endswith(_DOWN_ENDS)]
    ranks = [_rank(name, weights.shapes[name]) for name in downs]
    rank = max(set(ranks), key=ranks.count) if ranks else 0
    return Finding(kind=LORA, family=_lora_family(weights, downs), rank=rank)


def _rank(name: str, shape: tuple[int, ...]) -> int:
    if not shape:
        return 0
    return shape[-1] if name.endswith((".hada_w1_a", ".lokr_w1_a")) else shape[0]


def _lora_family(weights: Weights, downs: list[str]) -> str:
    names = "\n".join(weights.shapes)
    for family, marks in _FAMILY_OF_LORA:
        if any(mark in names for mark in marks):
            return family
    widths = {weights.size(name, 1) for name in downs if "attn2" in name and "to_k" in name}
    families = {_FAMILY_OF_TEXT[width] for width in widths if width in _FAMILY_OF_TEXT}
    return families.pop() if len(families) == 1 else ""


def _ip_adapter(weights: Weights) -> Finding | None:
    if weights.begins("ip_adapter_proj_model.") or weights.ends("ip_adapter_double_stream_k_proj.weight"):
        return Finding(kind=IP_ADAPTER, family="flux")
    if not weights.begins("image_proj.", "ip_adapter."):
        return None
    faces = weights.has("image_proj.proj.0.weight", "image_proj.norm.weight")
    if faces or weights.begins("image_proj.perceiver_resampler."):
        return Finding(title="an IP-Adapter for faces, whose recogniser of faces is no part of this program")
    width = weights.size(weights.ending(".to_k_ip.weight"), 1)
    family, read = _FAMILY_OF_TEXT.get(width, ""), _feature_read(weights)
    return Finding(kind=IP_ADAPTER, family=family, features=read, lacks=("image_encoder",))


#: The first layer of an adapter's projection → what it reads: the picture's one vector, or a vector of each place.
_FEATURES_READ = (
    ("image_proj.proj.weight", PROJECTION), ("image_proj.proj_in.weight", HIDDEN), ("image_proj.proj.0.weight", HIDDEN),
)  # fmt: skip


def _feature_read(weights: Weights) -> tuple[str, ...]:
    return tuple(feature(how, weights.size(name, 1)) for name, how in _FEATURES_READ if weights.has(name))


def _image_encoder(weights: Weights) -> Finding | None:
    """CLIP's half for pictures, with the projection to where words and pictures meet."""
    if not weights.begins("vision_model.") or not weights.has("visual_projection.weight"):
        return None
    projection, hidden = (weights.size("visual_projection.weight", dimension) for dimension in (0, 1))
    return Finding(kind=IMAGE_ENCODER, features=(feature(PROJECTION, projection), feature(HIDDEN, hidden)))


def _controlnet(weights: Weights) -> Finding | None:
    if weights.begins("control_all_x_embedder.") or weights.begins("control_layers."):
        return Finding(kind=CONTROLNET, family="zimage")
    inside = weights.below("control_model.") if weights.begins("control_model.") else weights
    hinted = inside.begins("input_hint_block.") or inside.begins("controlnet_cond_embedding.")
    if not hinted and not inside.begins("controlnet_blocks.") and not inside.begins("controlnet_x_embedder."):
        return None
    if inside.begins("single_transformer_blocks.") or inside.begins("double_blocks."):
        return Finding(kind=CONTROLNET, family="flux")
    if inside.begins("transformer_blocks.0.img_mod."):
        return Finding(kind=CONTROLNET, family="qwen")
    if inside.begins("transformer_blocks.") or inside.begins("joint_blocks."):
        two_streams_only = inside.has("x_embedder.weight") and not inside.begins("pos_embed.")
        return Finding(kind=CONTROLNET, family="flux" if two_streams_only else "sd3")
    if inside.begins("add_embedding.") or inside.begins("label_emb."):
        return Finding(kind=CONTROLNET, family="sdxl")
    width = inside.size(inside.ending("transformer_blocks.0.attn2.to_k.weight"), 1)
    return Finding(kind=CONTROLNET, family=_FAMILY_OF_TEXT.get(width, ""))


def _embedding(weights: Weights) -> Finding | None:
    if weights.has("clip_l", "clip_g") and len(weights) == 2:
        return Finding(kind=EMBEDDING, family="sdxl")
    if weights.has("emb_params"):
        width = weights.size("emb_params", -1)
        return Finding(kind=EMBEDDING, family=_FAMILY_OF_TEXT.get(width, ""))
    names = list(weights.shapes)
    if len(names) > 4 or any("." in name or not 1 <= len(weights.shapes[name]) <= 2 for name in names):
        return None
    family = _FAMILY_OF_TEXT.get(weights.size(names[0], -1), "")
    return Finding(kind=EMBEDDING, family=family, triggers=tuple(names))


def _preview_decoder(weights: Weights) -> Finding | None:
    """TAESD: numbered layers of one Sequential, with or without the names of the two halves."""
    if weights.ends("coder.layers.1.conv.0.weight", "coder.layers.3.conv.0.weight"):
        last = weights.size(weights.ending("decoder.layers.0.weight") or weights.ending("decoder.layers.1.weight"), 1)
        return Finding(kind=PREVIEW_DECODER, family=_FAMILY_OF_LATENTS.get(last, ""))
    if weights.has("1.weight", "3.conv.0.weight", "3.conv.2.weight"):
        return Finding(kind=PREVIEW_DECODER, family=_FAMILY_OF_LATENTS.get(weights.size("1.weight", 1), ""))
    return None


#: Channels of the latents → the family, where they tell; 4 are those of three families and 16 of four.
_FAMILY_OF_LATENTS = {32: "flux2", 128: "flux2"}


def _autoencoder(weights: Weights) -> Finding | None:
    inside = weights.below("first_stage_model.") if weights.begins("first_stage_model.") else weights
    inside = inside.below("vae.") if inside.begins("vae.") else inside
    if inside.begins("encoder.conv1.", "decoder.conv1.", "decoder.middle."):
        return Finding(kind=VAE, family="qwen")
    first = inside.first(("decoder.conv_in.weight", "decoder.conv_in.conv.weight"))
    if not first or not inside.begins("decoder."):
        return None
    if len(inside.shapes[first]) == 5:
        return Finding(kind=VAE, family="qwen")
    return Finding(kind=VAE, family=_FAMILY_OF_LATENTS.get(inside.size(first, 1), ""))


def _upscaler(weights: Weights) -> Finding | None:
    """The layouts spandrel knows that artists use: ESRGAN old and new, compact, SwinIR, HAT, DAT, SPAN, PLKSR …"""
    inside = weights
    for prefix in ("params_ema.", "params.", "module."):
        inside = inside.below(prefix) if inside.begins(prefix) else inside
    old = inside.begins("model.0.", "model.1.sub.0.RDB1.")
    new = inside.begins("conv_first.") and (inside.begins("body.0.rdb1.") or inside.begins("RRDB_trunk.0.RDB1."))
    compact = inside.has("body.0.weight", "body.1.weight", "body.2.weight") and "conv_first.weight" not in inside.shapes
    swin = inside.begins("conv_first.", "layers.0.") and (
        inside.begins("layers.0.residual_group.") or inside.begins("layers.0.blocks.")
    )
    span = inside.begins("block_1.", "conv_1.") or inside.begins("feats.0.", "feats.1.")
    return Finding(kind=UPSCALER) if old or new or compact or swin or span else None
