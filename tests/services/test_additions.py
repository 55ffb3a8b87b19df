"""Names of LoRAs and the like, from the artist's words to what the engine is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest
from safetensors.numpy import save_file

from imagegen_desktop.domain.errors import BadInput, ModelProblem
from imagegen_desktop.domain.request import REFERENCE_SIDE, Control, GenerationRequest, ImagePrompt, LoraWeight
from imagegen_desktop.services.additions import Additions
from imagegen_desktop.services.assemble import Parts
from tests.pictures import png_of_rows
from tests.weights.headers import write


def put_lora(home: Path, name: str, wide: int = 8) -> Path:
    tensors = {
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight": numpy.zeros(
            (4, wide), numpy.float32
        ),
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_B.weight": numpy.zeros(
            (8, 4), numpy.float32
        ),
    }
    place = home / "models" / f"{name}.safetensors"
    save_file(tensors, place)
    return place


def put_embedding(home: Path, name: str) -> None:
    save_file({"emb_params": numpy.zeros((2, 768), numpy.float32)}, home / "models" / f"{name}.safetensors")


def complete(parts: Parts, **changes: object) -> GenerationRequest:
    return parts.compose.complete(GenerationRequest(**{"prompt": "a cat", "model": "paper"} | changes))  # type: ignore[arg-type]


def test_tags_of_the_prompt_become_loras(parts: Parts, home: Path) -> None:
    put_lora(home, "Ink")
    whole = complete(parts, prompt="a cat <lora:ink:0.5>, <lora:INK:0.25> fluffy", loras=(LoraWeight(name="ink"),))
    assert whole.loras == (LoraWeight(name="Ink", weight=1.75),)
    assert "<" not in whole.prompt
    assert "fluffy" in whole.prompt
    two = complete(parts, prompt="a cat <lora:ink:0.2:0.9>")
    assert two.loras == (LoraWeight(name="Ink", weight=0.9, text_weight=0.2),)


def test_names_of_embeddings_are_found_as_whole_words(parts: Parts, home: Path) -> None:
    put_embedding(home, "easynegative")
    assert complete(parts, negative_prompt="blur, EasyNegative").embeddings == ("easynegative",)
    assert complete(parts, prompt="(easynegative:1.2)").embeddings == ("easynegative",)
    assert complete(parts, prompt="easynegatives, not-easynegative").embeddings == ()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"prompt": "a cat <lora:lost:1>"}, "lost"),
        ({"loras": (LoraWeight(name="wide"),)}, "LoRA: 'wide' is not possible; it was made for Stable Diffusion XL"),
        ({"vae": "lost"}, "lost"),
    ],
)
def test_a_name_that_cannot_be_used_is_one_line(
    parts: Parts, home: Path, changes: dict[str, object], line: str
) -> None:
    put_lora(home, "wide", wide=2048)
    with pytest.raises(BadInput) as refused:
        complete(parts, **changes)
    assert line in refused.value.message
    assert "\n" not in refused.value.message


def test_the_engine_is_told_where_things_lie_and_what_they_are_shown(parts: Parts, home: Path) -> None:
    file = put_lora(home, "ink")
    save_file(
        {"controlnet_cond_embedding.conv_in.weight": numpy.zeros((2, 3, 3, 3), numpy.float32)},
        home / "models" / "shapes.safetensors",
    )
    edge = b"".join(b"\0" + b"\0\0\0" * 32 + b"\xff\xff\xff" * 32 for _ in range(64))
    picture = parts.sources.keep(png_of_rows(64, 64, edge))
    control = Control(model="shapes", image=picture, preparation="canny")
    request = complete(parts, loras=(LoraWeight(name="ink"),), controls=(control,), width=64, height=64)
    told = Additions(parts.models).extras(request)
    assert [(each["kind"], each["name"]) for each in told] == [("lora", "ink"), ("controlnet", "shapes")]
    assert told[0]["path"] == str(file)
    shown = numpy.frombuffer(parts.sources.prepared(control, request).rgb, numpy.uint8).reshape(64, 64, 3)
    assert shown[:, 30:34].any()
    assert not shown[:, :28].any()
    assert not shown[:, 36:].any()


def test_an_ip_adapter_looks_through_the_encoder_it_was_trained_with(parts: Parts, home: Path) -> None:
    shelf = home / "models"
    adapter = {"image_proj.proj.weight": (3072, 1024), "ip_adapter.1.to_k_ip.weight": (320, 768)}
    write(shelf / "styles.safetensors", adapter)
    picture = parts.sources.keep(png_of_rows(2, 1, b"\0" + b"\xff\0\0" + b"\0\0\xff"))
    wish = {"image_prompts": (ImagePrompt(model="Styles", image=picture, weight=0.5),)}
    with pytest.raises(ModelProblem) as refused:
        complete(parts, **wish)
    assert refused.value.message == (
        "styles looks at pictures through a CLIP ViT-H image encoder, which is not on this computer yet."
    )
    assert str(shelf) in refused.value.advice
    assert "`imagegen-desktop models download InvokeAI/ip_adapter_sd_image_encoder`" in refused.value.advice
    write(shelf / "wide.safetensors", encoder(1280, 1664))
    write(shelf / "CLIP-ViT-H.safetensors", encoder(1024, 1280))
    parts.models.refresh()
    request = complete(parts, **wish)
    assert [each.model for each in request.image_prompts] == ["styles"]
    told = {each["kind"]: Path(each["path"]).name for each in Additions(parts.models).extras(request)}
    assert told == {"ip-adapter": "styles.safetensors", "image-encoder": "CLIP-ViT-H.safetensors"}
    beside = shelf / "image_encoder"
    beside.mkdir()
    config = {"architectures": ["CLIPVisionModelWithProjection"], "projection_dim": 1024, "hidden_size": 1280}
    (beside / "config.json").write_text(json.dumps(config))
    write(beside / "model.safetensors", encoder(1024, 1280))
    parts.models.refresh()
    assert parts.models.extra("ip-adapter", "styles").kit == str(beside)
    square = parts.sources.square(picture)
    assert len(square) == REFERENCE_SIDE**2 * 3


def encoder(projection: int, hidden: int) -> dict[str, tuple[int, ...]]:
    return {"vision_model.embeddings.class_embedding": (hidden,), "visual_projection.weight": (projection, hidden)}


def test_an_ip_adapter_of_another_family_is_one_line(parts: Parts, home: Path) -> None:
    wide = {"image_proj.proj.weight": (8192, 1280), "ip_adapter.1.to_k_ip.weight": (640, 2048)}
    write(home / "models" / "wide.safetensors", wide)
    write(home / "models" / "encoder.safetensors", encoder(1280, 1664))
    picture = parts.sources.keep(png_of_rows(1, 1, b"\0\xff\0\0"))
    with pytest.raises(BadInput, match="'wide' is not possible; it was made for Stable Diffusion XL; this model is"):
        complete(parts, image_prompts=(ImagePrompt(model="wide", image=picture),))


def test_a_model_that_only_looks_at_pictures_is_given_no_strength_without_a_mask(parts: Parts, home: Path) -> None:
    index = json.loads((home / "models" / "paper" / "model_index.json").read_text())
    del index["unet"]
    index |= {"_class_name": "FluxKontextPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}
    for name, content in {"model_index": index, "transformer/config": {}, "vae/config": {}}.items():
        file = home / "models" / "kontext" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    (home / "models" / "kontext" / "scheduler").mkdir()
    (home / "models" / "kontext" / "scheduler" / "scheduler_config.json").write_text("{}")
    parts.models.refresh()
    picture = parts.sources.keep(png_of_rows(1, 1, b"\0\xff\0\0"))
    wish = {"model": "kontext", "image": picture, "strength": 0.5}
    assert complete(parts, **wish).strength is None
    assert complete(parts, **wish, mask=picture).strength == 0.5
    assert complete(parts, **wish | {"model": "paper"}).strength == 0.5
