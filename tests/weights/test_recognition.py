"""Every kind of model file an artist may own is named for what it is, from its header alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import ModelProblem
from imagegen_desktop.weights.inspect import inspect_model
from tests.weights import layouts
from tests.weights.headers import text_fact, write, write_gguf
from tests.weights.layouts import (
    CLIP,
    OPEN_CLIP,
    REFINER_TEXT,
    SD3_TEXT,
    SDXL_TEXT,
    VAE,
    diffusers_unet,
    flux,
    sd3,
    unet,
)

#: File name, tensors → family, variants, parts it lacks, side, steps, guidance.
CHECKPOINTS = [
    ("v1-5", {**unet(), **CLIP, **VAE}, ("sd1", (), (), 512, 30, 7.5)),
    ("v1-5 inpainting", {**unet(9), **CLIP, **VAE}, ("sd1", ("inpaint",), (), 512, 30, 7.5)),
    ("pruned, no autoencoder", {**unet(), **CLIP}, ("sd1", (), ("vae",), 512, 30, 7.5)),
    ("v2-1_768-v-ema", {**unet(text=1024), **OPEN_CLIP, **VAE}, ("sd2", ("v-prediction",), (), 768, 30, 7.5)),
    ("v2-1_768-ema-pruned", {**unet(text=1024), **OPEN_CLIP, **VAE}, ("sd2", ("v-prediction",), (), 768, 30, 7.5)),
    ("512-inpainting-ema", {**unet(9, 1024), **OPEN_CLIP, **VAE}, ("sd2", ("inpaint",), (), 512, 30, 7.5)),
    ("512-base-ema", {**unet(text=1024), **OPEN_CLIP, **VAE}, ("sd2", (), (), 512, 30, 7.5)),
    ("sd_xl_base", {**unet(text=2048, pooled=2816), **SDXL_TEXT, **VAE}, ("sdxl", (), (), 1024, 30, 5.0)),
    ("anything XL inpaint", {**unet(9, 2048, 2816), **SDXL_TEXT, **VAE}, ("sdxl", ("inpaint",), (), 1024, 30, 5.0)),
    ("sd_xl_turbo_1.0", {**unet(text=2048, pooled=2816), **SDXL_TEXT, **VAE}, ("sdxl", ("turbo",), (), 512, 4, 0.0)),
    ("sdxl_lightning_8step", {**unet(text=2048, pooled=2816), **SDXL_TEXT, **VAE},
     ("sdxl", ("lightning",), (), 1024, 8, 0.0)),
    ("noob-vpred", {**unet(text=2048, pooled=2816), **SDXL_TEXT, **VAE, "v_pred": ()},
     ("sdxl", ("v-prediction",), (), 1024, 30, 5.0)),
    ("sd_xl_refiner", {**unet(text=1280, pooled=2560), **REFINER_TEXT, **VAE},
     ("sdxl", ("refiner",), ("text_encoder_2",), 1024, 30, 5.0)),
    ("sdxl unet", diffusers_unet(text=2048, pooled=2816),
     ("sdxl", (), ("text_encoder", "text_encoder_2", "vae"), 1024, 30, 5.0)),
    ("unet", diffusers_unet(), ("sd1", (), ("text_encoder", "vae"), 512, 30, 7.5)),
    ("sd3.5_large", {**sd3(38), **SD3_TEXT, **VAE}, ("sd3", ("large",), (), 1024, 28, 4.5)),
    ("sd3.5_large_turbo", {**sd3(38), **SD3_TEXT, **VAE}, ("sd3", ("large", "turbo"), (), 1024, 4, 0.0)),
    ("sd3.5_medium", sd3(24, twice=True),
     ("sd3", ("medium",), ("text_encoder", "text_encoder_2", "text_encoder_3", "vae"), 1024, 28, 4.5)),
    ("flux1-dev", flux(), ("flux", (), ("text_encoder", "text_encoder_2", "vae"), 1024, 28, 3.5)),
    ("flux1-schnell", flux(guided=False),
     ("flux", ("schnell",), ("text_encoder", "text_encoder_2", "vae"), 1024, 4, 0.0)),
    ("flux1-dev, prefixed", flux(prefix="model.diffusion_model."),
     ("flux", (), ("text_encoder", "text_encoder_2", "vae"), 1024, 28, 3.5)),
    ("flux1-kontext-dev", flux(), ("flux-kontext", (), ("text_encoder", "text_encoder_2", "vae"), 1024, 28, 2.5)),
    ("flux1-fill-dev", flux(384), ("flux-fill", (), ("text_encoder", "text_encoder_2", "vae"), 1024, 50, 30.0)),
    ("flux, diffusers", layouts.DIFFUSERS_FLUX, ("flux", (), ("text_encoder", "text_encoder_2", "vae"), 1024, 28, 3.5)),
    ("flux-2-klein-4b", layouts.FLUX_2, ("flux2", (), ("text_encoder", "vae"), 1024, 4, 1.0)),
    ("flux-2-klein-base-4b", layouts.FLUX_2, ("flux2", ("base",), ("text_encoder", "vae"), 1024, 50, 4.0)),
    ("z_image_turbo_bf16", layouts.Z_IMAGE, ("zimage", ("turbo",), ("text_encoder", "vae"), 1024, 9, 0.0)),
    ("z_image_bf16", layouts.Z_IMAGE, ("zimage", ("base",), ("text_encoder", "vae"), 1024, 50, 5.0)),
    ("qwen_image", layouts.QWEN, ("qwen", (), ("text_encoder", "vae"), 1328, 50, 4.0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shapes", "expected"), CHECKPOINTS, ids=[case[0] for case in CHECKPOINTS])
def test_checkpoints(tmp_path: Path, name: str, shapes: layouts.Shapes, expected: object) -> None:
    card = inspect_model(write(tmp_path / f"{name}.safetensors", shapes))
    assert (card.kind, card.format, card.name) == ("model", "safetensors", name)
    assert (card.family, card.variants, card.lacks, card.width, card.steps, card.guidance) == expected


_A = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
EXTRAS = [
    ("kohya, 1.5", {f"{_A}.lora_down.weight": (16, 768), f"{_A}.lora_up.weight": (320, 16), f"{_A}.alpha": ()},
     ("lora", "sd1", 16)),
    ("kohya, XL", {"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (8, 1280)}, ("lora", "sdxl", 8)),
    ("kohya, FLUX", {"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": (32, 3072)}, ("lora", "flux", 32)),
    ("peft, XL", {"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight": (4, 2048)},
     ("lora", "sdxl", 4)),
    ("peft, 1.5", {"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight": (4, 768)},
     ("lora", "sd1", 4)),
    ("diffusers, FLUX", {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (16, 3072)},
     ("lora", "flux", 16)),
    ("XLabs", {"double_blocks.0.processor.qkv_lora1.down.weight": (16, 3072)}, ("lora", "flux", 16)),
    ("Qwen", {"transformer_blocks.0.img_mlp.net.0.proj.lora_A.weight": (32, 3072)}, ("lora", "qwen", 32)),
    ("SD 3", {"lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight": (8, 1536)}, ("lora", "sd3", 8)),
    ("Z-Image", {"diffusion_model.layers.0.attention.to_q.lora_A.weight": (16, 3840)}, ("lora", "zimage", 16)),
    ("FLUX.2", {"transformer.double_stream_modulation_img.linear.lora_A.weight": (16, 3072)}, ("lora", "flux2", 16)),
    ("LoHa", {f"{_A}.hada_w1_a": (320, 4), f"{_A}.hada_w1_b": (4, 768)}, ("lora", "", 4)),
    ("A1111 embedding", {"emb_params": (4, 768)}, ("embedding", "sd1", 0)),
    ("diffusers embedding", {"<cat-toy>": (768,)}, ("embedding", "sd1", 0)),
    ("XL embedding", {"clip_l": (2, 768), "clip_g": (2, 1280)}, ("embedding", "sdxl", 0)),
    ("ControlNet", {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3), "conv_in.weight": (320, 4, 3, 3),
     "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (320, 768)}, ("controlnet", "sd1", 0)),
    ("ControlNet, original", {"control_model.input_hint_block.0.weight": (16, 3, 3, 3),
     "control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768)}, ("controlnet", "sd1", 0)),
    ("ControlNet, XL", {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3),
     "add_embedding.linear_1.weight": (1280, 2816)}, ("controlnet", "sdxl", 0)),
    ("ControlNet, FLUX", {"controlnet_blocks.0.weight": (3, 3), "single_transformer_blocks.0.proj_out.bias": (9,)},
     ("controlnet", "flux", 0)),
    ("VAE", {"decoder.conv_in.weight": (512, 4, 3, 3), "encoder.conv_in.weight": (128, 3, 3, 3)}, ("vae", "", 0)),
    ("VAE, original", VAE, ("vae", "", 0)),
    ("VAE, FLUX.2", {"decoder.conv_in.weight": (512, 32, 3, 3)}, ("vae", "flux2", 0)),
    ("VAE, Qwen", {"encoder.conv1.weight": (96, 3, 3, 3, 3), "decoder.conv1.weight": (384, 16, 3, 3, 3),
     "decoder.middle.0.residual.0.gamma": (384, 1, 1, 1)}, ("vae", "qwen", 0)),
    ("taesd_decoder", {"1.weight": (64, 4, 3, 3), "3.conv.0.weight": (64, 64, 3, 3), "3.conv.2.weight": (64, 64, 3, 3)},
     ("taesd", "", 0)),
    ("taesd, diffusers", {"decoder.layers.0.weight": (64, 4, 3, 3), "decoder.layers.3.conv.0.weight": (64, 64, 3, 3)},
     ("taesd", "", 0)),
    ("IP-Adapter", {"image_proj.proj.weight": (3072, 1024), "ip_adapter.1.to_k_ip.weight": (320, 768)},
     ("ip-adapter", "sd1", 0)),
    ("IP-Adapter, XL", {"image_proj.proj.weight": (8192, 1280), "ip_adapter.1.to_k_ip.weight": (640, 2048)},
     ("ip-adapter", "sdxl", 0)),
    ("IP-Adapter, plus", {"image_proj.proj_in.weight": (768, 1280), "ip_adapter.1.to_k_ip.weight": (320, 768)},
     ("ip-adapter", "sd1", 0)),
    ("CLIP-ViT-H", {"vision_model.embeddings.class_embedding": (1280,), "visual_projection.weight": (1024, 1280)},
     ("image-encoder", "", 0)),
    ("ESRGAN, old", {"model.0.weight": (64, 3, 3, 3), "model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3)},
     ("upscaler", "", 0)),
    ("RealESRGAN", {"params_ema.conv_first.weight": (64, 3, 3, 3), "params_ema.body.0.rdb1.conv1.weight": (9, 9)},
     ("upscaler", "", 0)),
    ("compact", {"body.0.weight": (64, 3, 3, 3), "body.1.weight": (64,), "body.2.weight": (64, 64, 3, 3)},
     ("upscaler", "", 0)),
    ("SwinIR", {"conv_first.weight": (180, 3, 3, 3), "layers.0.residual_group.blocks.0.norm1.weight": (180,)},
     ("upscaler", "", 0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shapes", "expected"), EXTRAS, ids=[case[0] for case in EXTRAS])
def test_what_is_used_together_with_a_model(
    tmp_path: Path, name: str, shapes: layouts.Shapes, expected: tuple[str, str, int]
) -> None:
    card = inspect_model(write(tmp_path / f"{name}.safetensors", shapes))
    assert (card.kind, card.family, card.rank) == expected


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"text_model.encoder.layers.0.mlp.fc1.weight": (3072, 768)}, "CLIP text encoder"),
        ({"encoder.block.0.layer.0.SelfAttention.q.weight": (4096, 4096)}, "T5 text encoder"),
        ({"vision_model.embeddings.class_embedding": (1280,)}, "image encoder without its projection"),
        ({"image_proj.proj.0.weight": (1024, 512), "image_proj.norm.weight": (768,), "ip_adapter.1.x": (1,)}, "faces"),
        ({"model.layers.0.self_attn.q_proj.weight": (4096, 2560)}, "language model"),
        (unet(8), "InstructPix2Pix"),
        ({"distilled_guidance_layer.in_proj.bias": (5120,), "img_in.weight": (3072, 64)}, "Chroma"),
        ({"head.modulation": (1, 2, 5120)}, "Wan video"),
        ({"something.else": (3, 3)}, "kind this program does not know"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, shapes: layouts.Shapes, words: str) -> None:
    with pytest.raises(ModelProblem, match=words):
        inspect_model(write(tmp_path / "file.safetensors", shapes))


def test_a_lora_tells_its_base_and_its_words(tmp_path: Path) -> None:
    tags = {"10_cats": {"mycat": 40, "sitting": 12}, "5_more": {"mycat": 3, "b\x00ad": 1}}
    metadata = {"ss_base_model_version": "sdxl_base_v1-0", "ss_tag_frequency": json.dumps(tags)}
    card = inspect_model(write(tmp_path / "cat.safetensors", {"x.lora_down.weight": (8, 32)}, metadata))
    assert (card.family, card.rank, card.triggers[:2]) == ("sdxl", 8, ("mycat", "sitting"))


def test_metadata_names_prediction_size_and_licence(tmp_path: Path) -> None:
    metadata = {"modelspec.prediction_type": "v", "modelspec.resolution": "768x768", "modelspec.license": "MIT\nx",
                "modelspec.title": "A fine one"}  # fmt: skip
    shapes = {**unet(text=2048, pooled=2816), **SDXL_TEXT, **VAE}
    card = inspect_model(write(tmp_path / "x.safetensors", shapes, metadata))
    assert (card.variants, card.width, card.title, card.licence) == (("v-prediction",), 768, "A fine one", "MIT x")


def test_what_a_file_says_about_itself_is_a_card_for_people(tmp_path: Path) -> None:
    metadata = {"modelspec.title": "Ink", "modelspec.author": "Ana", "modelspec.license": "CC-BY-4.0",
                "modelspec.description": "Lines.\nAnd \x1b[31mwashes.", "modelspec.tags": "ink, line"}  # fmt: skip
    card = inspect_model(write(tmp_path / "x.safetensors", {"x.lora_down.weight": (8, 32)}, metadata))
    assert (card.title, card.licence) == ("Ink", "CC-BY-4.0")
    assert card.about == (
        "Title: Ink\nBy: Ana\nLicence: CC-BY-4.0\nDescription: Lines.\nAnd  [31mwashes.\nTags: ink, line"
    )
    facts = [text_fact("general.name", "Flux"), text_fact("general.license", "apache-2.0")]
    card = inspect_model(write_gguf(tmp_path / "model.gguf", flux(), facts))
    assert (card.title, card.licence) == ("Flux", "apache-2.0")
    silent = inspect_model(write(tmp_path / "y.safetensors", {"x.lora_down.weight": (8, 32)}))
    assert (silent.title, silent.licence, silent.about) == ("y", "", "")


def test_what_a_trainer_says_it_predicts_counts_for_more_than_its_name(tmp_path: Path) -> None:
    shapes = {**unet(text=1024), **OPEN_CLIP, **VAE}
    file = write(tmp_path / "mine.safetensors", shapes, {"modelspec.prediction_type": "epsilon"})
    assert inspect_model(file).variants == ()


@pytest.mark.parametrize(
    ("shapes", "family"),
    [(flux(), "flux"), (flux(384), "flux-fill"), (layouts.QWEN, "qwen"), (layouts.Z_IMAGE, "zimage"),
     (layouts.FLUX_2, "flux2"), (sd3(24, twice=True, prefix=""), "sd3"), (unet(prefix=""), "sd1"),
     (unet(text=2048, pooled=2816, prefix=""), "sdxl")],
)  # fmt: skip
def test_gguf_files(tmp_path: Path, shapes: layouts.Shapes, family: str) -> None:
    facts = [text_fact("general.architecture", "flux")]
    card = inspect_model(write_gguf(tmp_path / "model-Q8.gguf", shapes, facts))
    assert (card.kind, card.format, card.family) == ("model", "gguf", family)
    assert "vae" in card.lacks


@pytest.mark.parametrize(
    ("config", "kind", "family"),
    [
        ({"_class_name": "ControlNetModel", "cross_attention_dim": 768}, "controlnet", "sd1"),
        ({"_class_name": "ControlNetModel", "addition_embed_type": "text_time"}, "controlnet", "sdxl"),
        ({"_class_name": "FluxControlNetModel"}, "controlnet", "flux"),
        ({"_class_name": "AutoencoderKL"}, "vae", ""),
        ({"_class_name": "AutoencoderTiny"}, "taesd", ""),
    ],
)
def test_folders_with_one_part(tmp_path: Path, config: dict[str, object], kind: str, family: str) -> None:
    write(tmp_path / "part" / "diffusion_pytorch_model.safetensors", {"conv_in.weight": (8, 4, 3, 3)})
    (tmp_path / "part" / "config.json").write_text(json.dumps(config))
    card = inspect_model(tmp_path / "part")
    assert (card.kind, card.family, card.format, card.name) == (kind, family, "folder", "part")


def test_a_text_encoders_folder_is_named(tmp_path: Path) -> None:
    write(tmp_path / "part" / "model.safetensors", {"shared.weight": (8, 4)})
    (tmp_path / "part" / "config.json").write_text(json.dumps({"architectures": ["T5EncoderModel"]}))
    with pytest.raises(ModelProblem, match="T5EncoderModel, one part of a model"):
        inspect_model(tmp_path / "part")


def test_a_peft_folder_is_a_lora(tmp_path: Path) -> None:
    name = "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight"
    write(tmp_path / "mine" / "adapter_model.safetensors", {name: (4, 768)})
    (tmp_path / "mine" / "adapter_config.json").write_text("{}")
    card = inspect_model(tmp_path / "mine")
    assert (card.kind, card.family, card.rank, card.name) == ("lora", "sd1", 4, "mine")
    assert card.path.endswith("adapter_model.safetensors")
