"""What the bare diffusers pipeline makes of a request: the measure for the engine's bytes."""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
from PIL import Image
from safetensors.torch import load_file

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.engine.samplers import FLOW_SAMPLERS, SAMPLERS
from tests.engine.engine_child import SIDE, gradient, left_half

#: What a model is loaded as for each task, by what its folder calls itself.
CLASSES = {
    "StableDiffusionPipeline": ("", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline"),
    "StableDiffusionXLPipeline": ("", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline"),
    "StableDiffusion3Pipeline": ("", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline"),
    "FluxPipeline": ("", "FluxImg2ImgPipeline", "FluxInpaintPipeline"),
    "FluxKontextPipeline": ("", "", "FluxKontextInpaintPipeline"),
    "FluxFillPipeline": ("", "", ""),
    "Flux2KleinPipeline": ("", "", "Flux2KleinInpaintPipeline"),
    "ZImagePipeline": ("", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline"),
    "QwenImagePipeline": ("", "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline"),
}
TASKS = ("text", "image", "inpaint")
_PLAIN = {"safety_checker": None, "requires_safety_checker": False}
WITHOUT_CHECKER = {f"StableDiffusion{task}Pipeline": _PLAIN for task in ("", "Img2Img", "Inpaint")}
SIZED_BY_THE_IMAGE = ("StableDiffusionImg2ImgPipeline", "StableDiffusionXLImg2ImgPipeline")
TAKES_AN_IMAGE_WITHOUT_STRENGTH = ("FluxKontextPipeline", "Flux2KleinPipeline")


@functools.cache
def _pipeline(folder: Path, task: str) -> Any:
    kind = kind_for(folder, task)
    pipeline = kind.from_pretrained(folder, local_files_only=True, **WITHOUT_CHECKER.get(kind.__name__, {}))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(torch.float32)


def pixels(wish: GenerationRequest, folder: Path) -> bytes:
    """RGB rows, with nothing of the engine between request and pipeline but the names of samplers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return drawn(wish, _pipeline(folder, wish.task))


def drawn(wish: GenerationRequest, pipeline: Any) -> bytes:
    original = pipeline.scheduler
    try:
        pipeline.scheduler = _scheduler(wish, original)
        # FlowMatchLCM draws from the global source of chance, whatever generator it is given.
        torch.manual_seed(wish.seed or 0)
        picture: Image.Image = pipeline(**_arguments(wish, type(pipeline).__name__)).images[0]
    finally:
        pipeline.scheduler = original
    return picture.tobytes()


@contextmanager
def lora(folder: Path, file: Path, weight: float) -> Iterator[None]:
    """The model's text pipeline wears a LoRA for a while; another one inside is worn beside it."""
    pipeline = _pipeline(folder, "text")
    before = _worn.setdefault(folder, {})
    name = f"lora{len(before)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.load_lora_weights(load_file(file), adapter_name=name)
        _worn[folder] = before | {name: weight}
        pipeline.set_adapters([*_worn[folder]], [*_worn[folder].values()])
        try:
            yield
        finally:
            _worn[folder] = before
            pipeline.unload_lora_weights() if not before else pipeline.delete_adapters(name)
            if before:
                pipeline.set_adapters([*before], [*before.values()])


_worn: dict[Path, dict[str, float]] = {}


@contextmanager
def embedding(folder: Path, file: Path, token: str) -> Iterator[None]:
    """The model's text pipeline knows one word more for a while."""
    pipeline = _pipeline(folder, "text")
    pipeline.load_textual_inversion(load_file(file), token=token)
    try:
        yield
    finally:
        pipeline.unload_textual_inversion()


@contextmanager
def autoencoder(folder: Path, other: Path) -> Iterator[None]:
    """The model's text pipeline decodes with another autoencoder for a while."""
    pipeline = _pipeline(folder, "text")
    own, pipeline.vae = pipeline.vae, diffusers.AutoencoderKL.from_pretrained(other, local_files_only=True)
    try:
        yield
    finally:
        pipeline.vae = own


def kind_for(folder: Path, task: str) -> Any:
    """The pipeline class of a model's folder for that task."""
    text = json.loads((folder / "model_index.json").read_text())["_class_name"]
    return getattr(diffusers, CLASSES[text][TASKS.index(task)] or text)


def _scheduler(wish: GenerationRequest, original: Any) -> Any:
    if wish.sampler == "Model default":
        return type(original).from_config(original.config)
    flow = type(original).__name__.startswith("FlowMatch")
    sampler = (FLOW_SAMPLERS if flow else SAMPLERS)[wish.sampler or ""]
    changes = dict(sampler.changes)
    if sampler.scheduler == "DPMSolverSDEScheduler":
        changes["noise_sampler_seed"] = wish.seed
    return getattr(diffusers, sampler.scheduler).from_config(original.config, **changes)


def _arguments(wish: GenerationRequest, kind: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "prompt": wish.full_prompt,
        "num_inference_steps": wish.steps,
        "true_cfg_scale" if kind.startswith("Qwen") else "guidance_scale": wish.guidance,
        "generator": torch.Generator("cpu").manual_seed(wish.seed or 0),
    }
    if not kind.startswith("Flux"):
        arguments["negative_prompt"] = wish.full_negative_prompt
    if kind not in SIZED_BY_THE_IMAGE:
        arguments |= {"width": wish.width, "height": wish.height}
    if kind.startswith("FluxKontext"):
        # At the size that was asked for, and the reference at that size too.
        arguments |= {"max_area": (wish.width or 0) * (wish.height or 0), "_auto_resize": False}
    if wish.task != "text":
        arguments["image"] = Image.frombytes("RGB", (SIDE, SIDE), gradient())
        if kind not in TAKES_AN_IMAGE_WITHOUT_STRENGTH:
            arguments["strength"] = wish.strength
    if wish.task == "inpaint":
        arguments["mask_image"] = Image.frombytes("L", (SIDE, SIDE), left_half())
    return arguments
