"""A folder with one network in it: a ControlNet, an autoencoder, a bare denoiser, an adapter of the peft library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..domain.errors import ModelProblem
from ..domain.model_card import (
    CONTROLNET,
    DEPTH_ESTIMATOR,
    FOLDER,
    IMAGE_ENCODER,
    LORA,
    PERSON_DETECTOR,
    POSE_ESTIMATOR,
    PREVIEW_DECODER,
    VAE,
    ModelCard,
)
from ..formats.folder import INDEX, check_files, read_json
from .layouts import HIDDEN, PROJECTION, feature
from .single_file import inspect_file

CONFIG, ADAPTER = "config.json", "adapter_config.json"

#: Class in a part's config → its kind and the family it belongs to ("" where its weights tell).
_KINDS = {
    "ControlNetModel": (CONTROLNET, ""),
    "ControlNetUnionModel": (CONTROLNET, "sdxl"),
    "FluxControlNetModel": (CONTROLNET, "flux"),
    "SD3ControlNetModel": (CONTROLNET, "sd3"),
    "QwenImageControlNetModel": (CONTROLNET, "qwen"),
    "ZImageControlNetModel": (CONTROLNET, "zimage"),
    "AutoencoderKL": (VAE, ""),
    "AutoencoderKLFlux2": (VAE, "flux2"),
    "AutoencoderKLQwenImage": (VAE, "qwen"),
    "AutoencoderTiny": (PREVIEW_DECODER, ""),
}

#: Endings of the names of transformers' classes, which say what a network is for.
_TASKS = {
    "ForDepthEstimation": DEPTH_ESTIMATOR,
    "ForPoseEstimation": POSE_ESTIMATOR,
    "ForObjectDetection": PERSON_DETECTOR,
}
_FAMILY_OF_WIDTH = {768: "sd1", 1024: "sd2", 2048: "sdxl"}


def is_part(folder: Path) -> bool:
    """Whether the folder holds one network with its config, and is no whole model."""
    if (folder / INDEX).exists():
        return False
    if (folder / ADAPTER).is_file():
        return True
    if not (folder / CONFIG).is_file():
        return False
    return any(file.suffix.lower() in (".safetensors", ".bin") for file in folder.iterdir())


def inspect_part(folder: Path) -> ModelCard:
    """The card of such a folder; raises ModelProblem saying in one line what it is and what is wrong with it."""
    check_files(folder)
    if (folder / ADAPTER).is_file():
        return _adapter(folder)
    config = read_json(folder / CONFIG)
    if config.get("architectures") == ["CLIPVisionModelWithProjection"]:
        return _image_encoder(folder, config)
    what = str(config.get("_class_name") or next(iter(config.get("architectures") or ["network"]), "network"))
    task = next((kind for ending, kind in _TASKS.items() if what.endswith(ending)), "")
    found = (task, "") if task else _KINDS.get(what)
    if found is None:
        raise ModelProblem(
            f"{folder.name} holds a {what}, one part of a model.", "Choose the folder of the whole model."
        )
    kind, family = found
    return ModelCard(
        name=folder.name,
        path=str(folder.resolve()),
        kind=kind,
        family=family or _family(config),
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        title=folder.name,
    )


def _image_encoder(folder: Path, config: dict[str, Any]) -> ModelCard:
    named = ((PROJECTION, "projection_dim"), (HIDDEN, "hidden_size"))
    return ModelCard(
        name=folder.name,
        path=str(folder.resolve()),
        kind=IMAGE_ENCODER,
        family="",
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        title=folder.name,
        features=tuple(feature(layer, config[key]) for layer, key in named if isinstance(config.get(key), int)),
    )


def _family(config: dict[str, Any]) -> str:
    if config.get("addition_embed_type") == "text_time":
        return "sdxl"
    width = config.get("cross_attention_dim")
    return _FAMILY_OF_WIDTH.get(width, "") if isinstance(width, int) else ""


def _adapter(folder: Path) -> ModelCard:
    """A LoRA as peft saves one: the file is what the engine opens."""
    weights = folder / "adapter_model.safetensors"
    card = inspect_file(weights)
    if card.kind != LORA:
        raise ModelProblem(f"{folder.name} holds an adapter that is no LoRA.", "LoRAs can be used here.")
    return replace(card, name=folder.name, title=folder.name, format=FOLDER)
