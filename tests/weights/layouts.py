"""Names and shapes of real files, as far as recognition looks: what trainers and exporters call their tensors."""

from __future__ import annotations

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]

_UNET = "model.diffusion_model."


def unet(channels: int = 4, text: int = 768, pooled: int = 0, prefix: str = _UNET) -> Shapes:
    """A UNet in the original layout."""
    found: dict[str, tuple[int, ...]] = {
        "input_blocks.0.0.weight": (320, channels, 3, 3),
        "input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight": (320, text),
        "middle_block.0.in_layers.0.weight": (1280,),
        "output_blocks.11.0.skip_connection.weight": (320, 640, 1, 1),
    }
    if pooled:
        found["label_emb.0.0.weight"] = (1280, pooled)
    return {prefix + name: shape for name, shape in found.items()}


def diffusers_unet(channels: int = 4, text: int = 768, pooled: int = 0) -> Shapes:
    found: dict[str, tuple[int, ...]] = {
        "conv_in.weight": (320, channels, 3, 3),
        "time_embedding.linear_1.weight": (1280, 320),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (320, text),
        "mid_block.resnets.0.conv1.weight": (1280, 1280, 3, 3),
    }
    return found | ({"add_embedding.linear_1.weight": (1280, pooled)} if pooled else {})


VAE: Shapes = {"first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3)}
CLIP: Shapes = {"cond_stage_model.transformer.text_model.embeddings.position_embedding.weight": (77, 768)}
OPEN_CLIP: Shapes = {"cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight": (3072, 1024)}
SDXL_TEXT: Shapes = {
    "conditioner.embedders.0.transformer.text_model.embeddings.position_embedding.weight": (77, 768),
    "conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias": (1280,),
}
REFINER_TEXT: Shapes = {"conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias": (1280,)}


def flux(takes: int = 64, gives: int = 64, guided: bool = True, prefix: str = "") -> Shapes:
    found: dict[str, tuple[int, ...]] = {
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
        "img_in.weight": (3072, takes),
        "final_layer.linear.weight": (gives, 3072),
    }
    found |= {"guidance_in.in_layer.weight": (3072, 256)} if guided else {}
    return {prefix + name: shape for name, shape in found.items()}


DIFFUSERS_FLUX: Shapes = {
    "x_embedder.weight": (3072, 64),
    "context_embedder.weight": (3072, 4096),
    "single_transformer_blocks.0.attn.to_q.weight": (3072, 3072),
    "time_text_embed.guidance_embedder.linear_1.weight": (3072, 256),
    "proj_out.weight": (64, 3072),
}
FLUX_2: Shapes = {"single_stream_modulation.lin.weight": (9216, 3072), "img_in.weight": (3072, 128)}
Z_IMAGE: Shapes = {
    "layers.0.adaLN_modulation.0.weight": (15360, 256),
    "noise_refiner.0.attention.qkv.weight": (11520, 3840),
    "context_refiner.0.attention.qkv.weight": (11520, 3840),
    "cap_embedder.0.weight": (2560,),
}
QWEN: Shapes = {
    "transformer_blocks.0.img_mod.1.weight": (18432, 3072),
    "txt_norm.weight": (3584,),
    "img_in.weight": (3072, 64),
}


def sd3(blocks: int, twice: bool = False, prefix: str = _UNET) -> Shapes:
    found: dict[str, tuple[int, ...]] = {
        f"joint_blocks.{number}.context_block.adaLN_modulation.1.bias": (9216,) for number in range(blocks)
    }
    found |= {"joint_blocks.0.x_block.attn2.qkv.weight": (4608, 1536)} if twice else {}
    return {prefix + name: shape for name, shape in found.items()}


SD3_TEXT: Shapes = {
    "text_encoders.clip_l.transformer.text_model.embeddings.position_embedding.weight": (77, 768),
    "text_encoders.clip_g.transformer.text_model.embeddings.position_embedding.weight": (77, 1280),
    "text_encoders.t5xxl.transformer.shared.weight": (32128, 4096),
}
