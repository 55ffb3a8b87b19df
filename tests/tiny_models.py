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

from tests import tiny_qwen

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


def stable_diffusion_xl(second: int = 32) -> Any:
    """`second` is the width of the second text encoder; in a single file the two are told apart by it."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    denoiser = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32 + second,
        attention_head_dim=(2, 4),
        transformer_layers_per_block=(1, 2),
        norm_num_groups=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=second + 6 * 8,
    ).eval()
    return StableDiffusionXLPipeline(
        vae=autoencoder(),
        unet=denoiser,
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip_encoder(second, projected=True),
        tokenizer_2=clip_tokenizer(),
        scheduler=EulerDiscreteScheduler(**NOISE_SCHEDULE, timestep_spacing="leading"),
        add_watermarker=False,
    )


def stable_diffusion_3(second: int = 32, layers: int = 1) -> Any:
    """`second` is the width of the second text encoder; in a single file the two are told apart by it."""
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    denoiser = SD3Transformer2DModel(
        sample_size=32,
        in_channels=16,
        out_channels=16,
        num_layers=layers,
        num_attention_heads=4,
        attention_head_dim=8,
        joint_attention_dim=32 + second,
        caption_projection_dim=32,
        pooled_projection_dim=32 + second,
        pos_embed_max_size=96,
    ).eval()
    first = clip_encoder(projected=True)
    # As in the real model, and therefore not in its files.
    first.text_projection.weight.data = torch.eye(32)
    return StableDiffusion3Pipeline(
        transformer=denoiser,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=shifted_autoencoder(16),
        text_encoder=first,
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip_encoder(second, projected=True),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=t5_encoder(32 + second),
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


KINDS: dict[str, Callable[[], Any]] = {
    "starter": starter,
    "sd1": stable_diffusion,
    "sd2": lambda: stable_diffusion("v_prediction"),
    "sd1-inpaint": lambda: stable_diffusion(in_channels=9),
    "sdxl": stable_diffusion_xl,
    "sdxl-uneven": lambda: stable_diffusion_xl(48),
    "sd3": stable_diffusion_3,
    "sd3-uneven": lambda: stable_diffusion_3(48),
    "sd3-deep": lambda: stable_diffusion_3(layers=2),  # a ControlNet is not heard in the last layer
    "flux": flux,
    "flux-schnell": lambda: flux(guided=False),
    "flux-kontext": lambda: flux("FluxKontextPipeline"),
    "flux-fill": lambda: flux("FluxFillPipeline", in_channels=16 + 16 + 256),
    "flux2": tiny_qwen.flux_2,
    "zimage": tiny_qwen.z_image,
    "qwen": tiny_qwen.qwen_image,
}


def esrgan_tensors(
    *,
    spelling: str = "young",
    width: int = 8,
    blocks: int = 1,
    doublings: int = 2,
    shuffle: int = 1,
    compact: bool = False,
    layers: int = 3,
) -> dict[str, torch.Tensor]:
    """An upscaler's tensors of random weights: Real-ESRGAN's layout ("young"), BSRGAN's ("middle"), ESRGAN's own
    ("old"), or the compact one."""
    torch.manual_seed(0)
    if compact:
        return _compact_tensors(width, layers)
    shapes = {"conv_first": (width, 3 * shuffle**2), "conv_body": (width, width)}
    for block in range(blocks):
        for part in (1, 2, 3):
            for layer in range(1, 6):
                out = width if layer == 5 else width // 2
                shapes[f"body.{block}.rdb{part}.conv{layer}"] = (out, width + (layer - 1) * (width // 2))
    for doubling in range(1, doublings + 1):
        shapes[f"conv_up{doubling}"] = (width, width)
    shapes |= {"conv_hr": (width, width), "conv_last": (3, width)}
    tensors = {}
    for name, (out, into) in shapes.items():
        spelled = _SPELLED[spelling](name, blocks, doublings)
        tensors[f"{spelled}.weight"] = torch.randn(out, into, 3, 3) * (0.5 / (9 * into) ** 0.5)
        tensors[f"{spelled}.bias"] = torch.randn(out) * 0.1 + (0.5 if name == "conv_last" else 0.0)
    return tensors


def _compact_tensors(width: int, layers: int) -> dict[str, torch.Tensor]:
    tensors, into = {}, 3
    for layer in range(layers + 1):
        out = 48 if layer == layers else width
        tensors[f"body.{2 * layer}.weight"] = torch.randn(out, into, 3, 3) * 0.1
        tensors[f"body.{2 * layer}.bias"] = torch.zeros(out)
        if layer < layers:
            tensors[f"body.{2 * layer + 1}.weight"] = torch.full((width,), 0.2)
        into = width
    return tensors


def _middle(name: str, blocks: int, doublings: int) -> str:
    known = {"conv_body": "trunk_conv", "conv_hr": "HRconv"}
    return known.get(name, name.replace("body.", "RRDB_trunk.").replace("rdb", "RDB").replace("conv_up", "upconv"))


def _old(name: str, blocks: int, doublings: int) -> str:
    last = 2 + 3 * doublings + 2
    known = {"conv_first": "0", "conv_body": f"1.sub.{blocks}", "conv_hr": f"{last - 2}", "conv_last": f"{last}"}
    known |= {f"conv_up{number}": f"{3 * number}" for number in range(1, doublings + 1)}
    inner = name.replace("body.", "1.sub.").replace("rdb", "RDB") + ".0"
    return "model." + known.get(name, inner)


_SPELLED: dict[str, Callable[[str, int, int], str]] = {
    "young": lambda name, blocks, doublings: name,
    "middle": _middle,
    "old": _old,
}
