"""Tiny random diffusion models, built in a second without a hub: every class real, every size small.

The autoencoders shrink by 8 as the real ones do, so the rules about sizes are the real ones as well.
The tokenizers know single bytes only; any text encodes.
"""

from __future__ import annotations

import string
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

NOISE_SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def build(kind: str, folder: Path, seed: int = 0) -> Path:
    """Writes the tiny model of that kind into `folder`, unless it is there; the folder."""
    if not (folder / "model_index.json").exists():
        torch.manual_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            KINDS[kind]().save_pretrained(folder)
    return folder


def byte_symbols() -> list[str]:
    """The printable stand-ins of the 256 bytes in byte-level BPE: printable Latin-1, then U+0100 onwards."""
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in sorted(printable)] + [chr(256 + place) for place in range(len(hidden))]


def clip_vocabulary() -> dict[str, int]:
    symbols = byte_symbols()
    words = [*symbols, *(symbol + "</w>" for symbol in symbols), "<|startoftext|>", "<|endoftext|>"]
    return {word: number for number, word in enumerate(words)}


def clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=clip_vocabulary(), merges=[], model_max_length=77, pad_token="<|endoftext|>")


def clip_encoder(width: int = 32, projected: bool = False) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    vocabulary = clip_vocabulary()
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(
        CLIPTextConfig(
            vocab_size=len(vocabulary),
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=2,
            num_attention_heads=4,
            projection_dim=width,
            bos_token_id=vocabulary["<|startoftext|>"],
            eos_token_id=vocabulary["<|endoftext|>"],
            pad_token_id=vocabulary["<|endoftext|>"],
        )
    ).eval()


def t5_tokenizer() -> Any:
    from transformers import T5Tokenizer

    pieces = ["<pad>", "</s>", "<unk>", "\u2581", *string.ascii_letters, *string.digits, *string.punctuation]
    reserved = [f"<extra_id_{number}>" for number in reversed(range(100))]
    return T5Tokenizer(vocab=[(piece, -float(place)) for place, piece in enumerate(pieces + reserved)])


def t5_encoder(width: int) -> Any:
    from transformers import T5Config, T5EncoderModel

    sizes = {"d_model": width, "d_kv": 8, "d_ff": 2 * width, "num_layers": 2, "num_heads": 4}
    special = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    return T5EncoderModel(
        T5Config(vocab_size=len(t5_tokenizer()), feed_forward_proj="gated-gelu", **sizes, **special)
    ).eval()


def autoencoder(channels: int = 4, **changes: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=[8] * 4,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        norm_num_groups=4,
        latent_channels=channels,
        sample_size=64,
        **changes,
    ).eval()


def shifted_autoencoder(channels: int) -> Any:
    """As SD 3's and FLUX's: latents are moved before they are scaled."""
    plain = {"use_quant_conv": False, "use_post_quant_conv": False}
    return autoencoder(channels, scaling_factor=1.5, shift_factor=0.06, **plain)


def unet(text_width: int = 32, in_channels: int = 4) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        in_channels=in_channels,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=text_width,
        attention_head_dim=4,
        norm_num_groups=4,
    ).eval()


def stable_diffusion(prediction: str = "epsilon", in_channels: int = 4) -> Any:
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    scheduler = PNDMScheduler(**NOISE_SCHEDULE, skip_prk_steps=True, set_alpha_to_one=False, prediction_type=prediction)
    scheduler.register_to_config(clip_sample=False)
    return StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        unet=unet(in_channels=in_channels),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def tiny_autoencoder() -> Any:
    from diffusers import AutoencoderTiny

    small = {"encoder_block_out_channels": (8,) * 4, "decoder_block_out_channels": (8,) * 4}
    blocks = {"num_encoder_blocks": (1,) * 4, "num_decoder_blocks": (1,) * 4}
    return AutoencoderTiny(**small, **blocks).eval()


def starter() -> Any:
    """Shaped as the model we ship: half precision, a tiny autoencoder, DPM++ as its own sampler."""
    from diffusers import DPMSolverMultistepScheduler

    pipeline = stable_diffusion()
    scheduler = DPMSolverMultistepScheduler(**NOISE_SCHEDULE, timestep_spacing="trailing")
    pipeline.register_modules(vae=tiny_autoencoder(), scheduler=scheduler)
    return pipeline.to(torch.float16)


def stable_diffusion_xl() -> Any:
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    denoiser = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=64,
        attention_head_dim=(2, 4),
        transformer_layers_per_block=(1, 2),
        norm_num_groups=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=32 + 6 * 8,
    ).eval()
    return StableDiffusionXLPipeline(
        vae=autoencoder(),
        unet=denoiser,
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip_encoder(projected=True),
        tokenizer_2=clip_tokenizer(),
        scheduler=EulerDiscreteScheduler(**NOISE_SCHEDULE, timestep_spacing="leading"),
        add_watermarker=False,
    )


def stable_diffusion_3() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    denoiser = SD3Transformer2DModel(
        sample_size=32,
        in_channels=16,
        out_channels=16,
        num_layers=1,
        num_attention_heads=4,
        attention_head_dim=8,
        joint_attention_dim=64,
        caption_projection_dim=32,
        pooled_projection_dim=64,
        pos_embed_max_size=96,
    ).eval()
    return StableDiffusion3Pipeline(
        transformer=denoiser,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=shifted_autoencoder(16),
        text_encoder=clip_encoder(projected=True),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip_encoder(projected=True),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=t5_encoder(64),
        tokenizer_3=t5_tokenizer(),
    )


def flux(kind: str = "FluxPipeline", in_channels: int = 16, guided: bool = True) -> Any:
    """As FLUX.1 dev, guidance and dynamic shifting included; schnell is not guided.

    Fill's denoiser reads beside its 16 channels the 16 of the masked picture and 8 × 8 × 4 of the mask.
    """
    import diffusers
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel

    denoiser = FluxTransformer2DModel(
        in_channels=in_channels,
        out_channels=16,
        num_layers=1,
        num_single_layers=1,
        num_attention_heads=2,
        attention_head_dim=16,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guided,
    ).eval()
    return getattr(diffusers, kind)(
        transformer=denoiser,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=shifted_autoencoder(4),
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=t5_encoder(32),
        tokenizer_2=t5_tokenizer(),
    )


def qwen_tokenizer() -> Any:
    """Byte-level, with the marks of a chat."""
    from transformers import Qwen2Tokenizer

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


KINDS: dict[str, Callable[[], Any]] = {
    "starter": starter,
    "sd1": stable_diffusion,
    "sd2": lambda: stable_diffusion("v_prediction"),
    "sd1-inpaint": lambda: stable_diffusion(in_channels=9),
    "sdxl": stable_diffusion_xl,
    "sd3": stable_diffusion_3,
    "flux": flux,
    "flux-schnell": lambda: flux(guided=False),
    "flux-kontext": lambda: flux("FluxKontextPipeline"),
    "flux-fill": lambda: flux("FluxFillPipeline", in_channels=16 + 16 + 256),
    "flux2": flux_2,
    "zimage": z_image,
    "qwen": qwen_image,
}
