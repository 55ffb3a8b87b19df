"""Which files of a hub's model are fetched: enough to open it, nothing twice, never what could run code."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.errors import BadInput, ModelProblem, Problem
from imagegen_desktop.domain.hub_model import HubFile, HubModel, hub_address, safe_path
from imagegen_desktop.domain.hub_selection import select

PARTS = {
    "_class_name": "StableDiffusionXLPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "feature_extractor": [None, None],
}


def model(*names: str, size: int = 10) -> HubModel:
    files = tuple(HubFile(path=name, size=size, sha256="a" * 64) for name in names)
    return HubModel(id="a/b", revision="c" * 40, page="https://huggingface.co/a/b", files=files)


def chosen(names: list[str], half: bool = False, index: object = PARTS) -> set[str]:
    found = select(model(*names), index, half)  # type: ignore[arg-type]
    return {file.path for file in found.files}


PIPELINE = [
    "model_index.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
    "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
    "unet/diffusion_pytorch_model.safetensors.index.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "unet/diffusion_pytorch_model.non_ema.safetensors",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "text_encoder/model.fp16.safetensors",
    "text_encoder/pytorch_model.bin",
    "tokenizer/vocab.json",
    "tokenizer/merges.txt",
    "scheduler/scheduler_config.json",
]
BESIDE = ["sdxl.safetensors", "sdxl.ckpt", "unet/model.onnx", "vae_decoder/model.onnx", "other/config.json", "go.py"]


def test_full_precision_with_all_its_parts() -> None:
    wanted = {name for name in PIPELINE if ".fp16" not in name and "non_ema" not in name and ".bin" not in name}
    assert chosen([*PIPELINE, *BESIDE]) == wanted


def test_half_precision_without_the_index_of_the_other() -> None:
    assert {name for name in chosen([*PIPELINE, *BESIDE], half=True) if "safetensors" in name} == {
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "text_encoder/model.fp16.safetensors",
    }


def test_the_index_of_half_precision_in_both_spellings() -> None:
    for index in ("unet/model.safetensors.index.fp16.json", "unet/model.fp16.safetensors.index.json"):
        names = [index, "unet/model.fp16-00001-of-00001.safetensors", "unet/model.safetensors"]
        assert index in chosen(names, half=True, index={"unet": ["diffusers", "UNet2DConditionModel"]})


def test_a_part_with_pickles_alone_is_said() -> None:
    with pytest.raises(ModelProblem, match="text_encoder"):
        chosen([name for name in PIPELINE if not (name.startswith("text") and "safetensors" in name)])


def test_a_controlnet_is_its_config_and_one_file() -> None:
    names = ["config.json", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors", "x.bin"]
    assert chosen(names, index=None) == {"config.json", "diffusion_pytorch_model.safetensors"}


def test_an_image_encoder_is_its_config_and_one_file() -> None:
    names = ["config.json", "model.safetensors", "pytorch_model.bin", "README.md"]
    assert chosen(names, index=None) == {"config.json", "model.safetensors", "README.md"}
    names = ["config.json", "model.safetensors", "another.safetensors"]
    with pytest.raises(BadInput, match=r"another\.safetensors"):
        chosen(names, index=None)


def test_of_several_checkpoints_one_has_to_be_named() -> None:
    names = ["q4.gguf", "q8.gguf"]
    with pytest.raises(BadInput, match=r"q4\.gguf, q8\.gguf"):
        chosen(names, index=None)
    assert select(model(*names), None, False, "q8.gguf").single == "q8.gguf"


def test_what_the_hub_gives_no_checksum_for_is_not_fetched() -> None:
    files = (HubFile(path="x.safetensors", size=1),)
    with pytest.raises(ModelProblem, match="checksum"):
        select(HubModel(id="a/b", revision="c", page="", files=files), None, False)


@pytest.mark.parametrize(
    "path",
    [
        "../x", "/x", "a//b", "a/../b", "a\\b", "C:x", "con.json", "a/NUL",
        ".hidden", "a/.b/c", "x.", "x ", "a\nb", "a\0", "",
    ],
)  # fmt: skip
def test_names_that_could_lead_anywhere(path: str) -> None:
    assert not safe_path(path)


@given(st.lists(st.text("abc./\\-_:\0 é", min_size=1, max_size=24), max_size=12), st.booleans())
def test_whatever_a_hub_lists_only_safe_names_of_safe_kinds_are_chosen(names: list[str], half: bool) -> None:
    kinds = ("", ".safetensors", ".bin", ".py", ".json", ".ckpt", ".gguf")
    listed = [name + kinds[number % len(kinds)] for number, name in enumerate(names)]
    try:
        found = select(model(*listed), None, half)
    except Problem:
        return
    for file in found.files:
        assert safe_path(file.path) and ".." not in PurePosixPath(file.path).parts
        assert PurePosixPath(file.path).suffix not in (".bin", ".py", ".ckpt")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a/b", ("a/b", "", "")),
        (" https://huggingface.co/a/b ", ("a/b", "", "")),
        ("https://huggingface.co/a/b/tree/v1", ("a/b", "v1", "")),
        ("https://huggingface.co/a/b/blob/main/x/y.safetensors", ("a/b", "main", "x/y.safetensors")),
    ],
)
def test_a_page_is_as_good_as_an_id(text: str, wanted: tuple[str, str, str]) -> None:
    found = hub_address(text)
    assert (found.id, found.revision, found.file) == wanted


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_bad_input(text: str) -> None:
    try:
        found = hub_address(text)
    except BadInput:
        return
    assert found.id.count("/") == 1 and ".." not in found.id
