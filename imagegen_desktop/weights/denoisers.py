"""Recognises whole checkpoints and bare denoisers: the UNets and transformers of every family."""

from __future__ import annotations

from ..domain.model_card import MODEL, V_PREDICTION
from .layouts import INPAINT, LARGE, MEDIUM, REFINER, SCHNELL, Finding, Weights

_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "unet.", "transformer.")

#: A UNet's input channels → what it was trained for; 4 and 9 are models that can be used here.
_OTHER_CHANNELS = {
    5: "a depth-to-image checkpoint of Stable Diffusion 2",
    7: "the ×4 upscaling checkpoint of Stable Diffusion 2",
    8: "an InstructPix2Pix checkpoint",
}

#: A tensor only that kind of model has → what it is; image and video models without a place in `families.py`.
_OTHERS = {
    "distilled_guidance_layer.in_proj.bias": "a Chroma transformer",
    "early_stream_modulations.image.lin.weight": "a FLUX.3 transformer",
    "txt_in.text_norm.weight": "a Qwen-Image 2.1 transformer",
    "txtfusion.projector.weight": "a Krea 2 transformer",
    "double_layers.0.attn.w2q.weight": "an AuraFlow transformer",
    "joint_transformer_blocks.0.attn.add_k_proj.weight": "an AuraFlow transformer",
    "double_stream_blocks.0.block.adaLN_modulation.1.bias": "a HiDream transformer",
    "blocks.0.cross_attn.q_linear.weight": "a Sana or PixArt transformer",
    "clip_txt_mapper.weight": "a Stable Cascade model",
    "head.modulation": "a Wan video transformer",
    "patchify_proj.weight": "an LTX video transformer",
    "txt_in.individual_token_refiner.blocks.0.adaLN_modulation.1.bias": "a HunyuanVideo transformer",
    "blocks.0.attn.qkv_x.weight": "a Mochi video transformer",
    "edm_mean": "a Playground 2.5 checkpoint",
}


def denoiser(weights: Weights) -> Finding | None:
    """The family of a checkpoint or bare denoiser; None when there is none in the file."""
    for prefix in (*_PREFIXES, ""):
        if weights.begins(prefix):
            inside = weights.below(prefix) if prefix else weights
            found = _flow(inside) or _unet(inside)
            if found is not None:
                return _completed(found, weights)
    return None


def _flow(weights: Weights) -> Finding | None:
    for name, title in _OTHERS.items():
        if name in weights.shapes:
            return Finding(title=title)
    if weights.first(("single_stream_modulation.lin.weight", "single_stream_modulation.linear.weight")):
        return Finding(kind=MODEL, family="flux2", lacks=("text_encoder", "vae"))
    if weights.first(f"double_blocks.0.img_attn.norm.key_norm.{end}" for end in ("scale", "weight")) or (
        weights.begins("single_transformer_blocks.") and weights.has("x_embedder.weight", "context_embedder.weight")
    ):
        return _flux(weights)
    if weights.begins("joint_blocks.0.context_block.") or weights.has(
        "transformer_blocks.0.norm1_context.linear.weight", "pos_embed.proj.weight"
    ):
        return _stable_diffusion_3(weights)
    if weights.has("transformer_blocks.0.img_mod.1.weight", "txt_norm.weight"):
        return Finding(kind=MODEL, family="qwen", lacks=("text_encoder", "vae"))
    if weights.begins("noise_refiner.", "context_refiner."):
        if weights.has("layers.0.adaLN_modulation.0.weight"):
            return Finding(kind=MODEL, family="zimage", lacks=("text_encoder", "vae"))
        return Finding(title="a Lumina 2 transformer")
    return None


def _flux(weights: Weights) -> Finding:
    """Fill takes picture and mask beside the latents (384 of 64 · 6 channels), Canny and Depth a picture (128)."""
    takes = weights.size(weights.first(("img_in.weight", "x_embedder.weight")), 1)
    gives = weights.size(weights.first(("final_layer.linear.weight", "proj_out.weight")), 0)
    lacks = ("text_encoder", "text_encoder_2", "vae")
    if takes == 384 or (gives and takes == 2 * gives + 256):
        return Finding(kind=MODEL, family="flux-fill", lacks=lacks)
    if takes == 128 or (gives and takes == 2 * gives):
        return Finding(title="a FLUX.1 Canny or Depth transformer")
    guided = weights.begins("guidance_in.") or weights.begins("time_text_embed.guidance_embedder.")
    return Finding(kind=MODEL, family="flux", variants=() if guided else (SCHNELL,), lacks=lacks)


def _stable_diffusion_3(weights: Weights) -> Finding:
    """3.5 large has 38 blocks, 3.5 medium a second attention in its first ones."""
    variants: tuple[str, ...] = ()
    if weights.begins("joint_blocks.37.") or weights.begins("transformer_blocks.37."):
        variants = (LARGE,)
    elif weights.begins("joint_blocks.0.x_block.attn2.") or weights.begins("transformer_blocks.0.attn2."):
        variants = (MEDIUM,)
    return Finding(
        kind=MODEL, family="sd3", variants=variants, lacks=("text_encoder", "text_encoder_2", "text_encoder_3", "vae")
    )


def _unet(weights: Weights) -> Finding | None:
    first = weights.first(("input_blocks.0.0.weight", "conv_in.weight"))
    original = weights.begins("input_blocks.", "middle_block.", "output_blocks.")
    if not first or not (original or weights.begins("down_blocks.", "mid_block.", "time_embedding.")):
        return None
    channels = weights.size(first, 1)
    if channels in _OTHER_CHANNELS:
        return Finding(title=_OTHER_CHANNELS[channels])
    variants = (INPAINT,) if channels == 9 else ()
    pooled = weights.size(weights.first(("label_emb.0.0.weight", "add_embedding.linear_1.weight")), 1)
    if pooled:
        variants = (*variants, REFINER) if pooled == 2560 else variants
        return Finding(kind=MODEL, family="sdxl", variants=variants, lacks=("text_encoder", "text_encoder_2", "vae"))
    text = weights.size(weights.ending("transformer_blocks.0.attn2.to_k.weight"), 1)
    family = "sd2" if text == 1024 else "sd1"
    return Finding(kind=MODEL, family=family, variants=variants, lacks=("text_encoder", "vae"))


def _completed(found: Finding, weights: Weights) -> Finding:
    """The finding with what the rest of the file tells: text encoders, autoencoder, marks of a way of training."""
    if found.kind != MODEL:
        return found
    family, variants = found.family, found.variants
    present = {part for part, prefixes in _PARTS.items() for prefix in prefixes if weights.begins(prefix)}
    if family == "sd1" and weights.begins("cond_stage_model.model."):
        family = "sd2"
    if weights.begins("conditioner.embedders.0.model.") and REFINER not in variants:
        variants = (*variants, REFINER)
    if REFINER in variants:
        present.add("text_encoder")
    if weights.first(("v_pred", "model.v_pred")):
        variants = (*variants, V_PREDICTION)
    lacks = tuple(part for part in found.lacks if part not in present)
    return Finding(kind=MODEL, family=family, variants=variants, lacks=lacks)


#: Parts of a model → how the names of their tensors begin in a whole checkpoint.
_PARTS = {
    "vae": ("first_stage_model.", "vae."),
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0.", "text_encoders."),
    "text_encoder_2": ("conditioner.embedders.1.", "text_encoders.clip_g.", "text_encoders.t5xxl."),
    "text_encoder_3": ("text_encoders.t5xxl.",),
}
