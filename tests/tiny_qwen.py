"""Tiny random models that read their prompts with a Qwen language model: FLUX.2 klein, Z-Image and Qwen-Image."""

from __future__ import annotations

from typing import Any

import torch


def qwen_tokenizer() -> Any:
    """Byte-level, with the marks of a chat."""
    from transformers import Qwen2Tokenizer

    from tests.tiny_models import byte_symbols

    words = [*byte_symbols(), "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Qwen2Tokenizer(
        vocab={word: number for number, word in enumerate(words)},
        merges=[],
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )
    tokenizer.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return tokenizer


_QWEN_SIZES = {
    "vocab_size": 259,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 2048,
}


def qwen3_encoder(kind: str, layers: int) -> Any:
    import transformers

    return getattr(transformers, kind)(transformers.Qwen3Config(num_hidden_layers=layers, **_QWEN_SIZES)).eval()


def qwen_vision_encoder() -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    sight = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    words = _QWEN_SIZES | {"num_hidden_layers": 2, "rope_parameters": rope}
    marks = {"bos_token_id": 256, "eos_token_id": 258, "pad_token_id": 256}
    config = Qwen2_5_VLConfig(text_config=words | marks, vision_config=sight | {"fullatt_block_indexes": [0]}, **marks)
    return Qwen2_5_VLForConditionalGeneration(config).eval()


def flux_2() -> Any:
    """As FLUX.2 klein: read from three layers of a language model, latents normalised by the autoencoder."""
    from diffusers import (
        AutoencoderKLFlux2,
        FlowMatchEulerDiscreteScheduler,
        Flux2KleinPipeline,
        Flux2Transformer2DModel,
    )

    vae = AutoencoderKLFlux2(
        block_out_channels=(8,) * 4, layers_per_block=1, latent_channels=4, norm_num_groups=4, sample_size=64
    ).eval()
    vae.bn.running_mean.normal_()
    vae.bn.running_var.uniform_(0.5, 2.0)
    denoiser = Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * 16,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    ).eval()
    return Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=vae,
        text_encoder=qwen3_encoder("Qwen3ForCausalLM", layers=27),
        tokenizer=qwen_tokenizer(),
        transformer=denoiser,
    )


def z_image() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel

    from tests.tiny_models import shifted_autoencoder

    denoiser = ZImageTransformer2DModel(
        in_channels=4,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[4, 4, 8],
        axes_lens=[1024, 64, 64],
    ).eval()
    for pad in (denoiser.x_pad_token, denoiser.cap_pad_token):
        torch.nn.init.normal_(pad)
    return ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=shifted_autoencoder(4),
        text_encoder=qwen3_encoder("Qwen3Model", layers=2),
        tokenizer=qwen_tokenizer(),
        transformer=denoiser,
    )


def qwen_image() -> Any:
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImagePipeline,
        QwenImageTransformer2DModel,
    )

    vae = AutoencoderKLQwenImage(
        base_dim=8, z_dim=4, num_res_blocks=1, latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 2.0, 0.7, 1.0]
    ).eval()
    denoiser = QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(4, 4, 8),
    ).eval()
    return QwenImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0, use_dynamic_shifting=True, shift_terminal=0.02),
        vae=vae,
        text_encoder=qwen_vision_encoder(),
        tokenizer=qwen_tokenizer(),
        transformer=denoiser,
    )
