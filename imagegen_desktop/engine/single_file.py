"""A model in one file: weights from the file, configs and tokenizers from its kit, nothing from anywhere else.

A kit is a folder like a diffusers model's without weights. What a file does not hold (many hold the denoiser alone,
GGUF files always) must lie in the kit with its weights.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.loaders.single_file_utils import load_single_file_checkpoint

from ..domain.errors import ModelProblem
from ..domain.model_card import V_PREDICTION
from ..formats.gguf import read_gguf
from ..formats.safetensors import read_safetensors
from . import flux_names
from .pipelines import PipelineFamily
from .variants import PREFIX, Shapes, changes

GGUF = ".gguf"
_WEIGHTS = ("*.safetensors", "*.bin")

#: How the names of a part's tensors begin in a whole checkpoint; a text encoder's by its class as well.
_HELD = {
    "vae": ("first_stage_model.", "vae."),
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0.", "text_encoders.clip_l."),
    "text_encoder_2": ("conditioner.embedders.1.", "text_encoders.clip_g."),
    "T5EncoderModel": ("text_encoders.t5xxl.",),
}


def open_file(
    file: Path, kit: Path, family: PipelineFamily, precision: torch.dtype, variants: tuple[str, ...] = ()
) -> Any:
    """The family's pipeline, on the processor; raises ModelProblem naming what is missing, or diffusers' own errors.
    `variants` as on the file's card."""
    index = _index(file, kit)
    shapes = _shapes(file)
    own = {name for name in ("vae", *family.text_encoders) if name in index and _holds(shapes, name, index[name][1])}
    _refuse_missing(file, kit, [name for name in ("vae", *family.text_encoders) if name in index and name not in own])
    denoiser = _denoiser(file, kit, index[family.denoiser][1], family.denoiser, precision, shapes)
    kind = getattr(diffusers, family.base)
    options = {"local_files_only": True, "dtype": precision, **dict.fromkeys(family.absent), **family.extra}
    parts = {family.denoiser: denoiser}
    if not own or not hasattr(kind, "from_single_file"):
        whole = kind.from_pretrained(str(kit), trust_remote_code=False, **options, **parts)
        return _as_trained(whole, (*shapes, *variants), denoiser)
    if "vae" not in own:
        vae = getattr(diffusers, index["vae"][1])
        parts["vae"] = vae.from_pretrained(str(kit), subfolder="vae", local_files_only=True, dtype=precision)
    pipeline = kind.from_single_file(str(file), config=str(kit), **options, **parts)
    return _as_trained(pipeline, (*shapes, *variants), denoiser)


def _index(file: Path, kit: Path) -> dict[str, Any]:
    """The kit's list of parts: name → (library, class)."""
    if not (kit / "model_index.json").is_file():
        raise ModelProblem(
            f"{file.name} is a single file; the configs and tokenizers of its family are missing.",
            "Get them once in the models dialog, or use the model as a folder.",
        )
    index: dict[str, Any] = json.loads((kit / "model_index.json").read_text(encoding="utf-8"))
    return {name: value for name, value in index.items() if isinstance(value, list) and value[0] is not None}


def _shapes(file: Path) -> Shapes:
    header = read_gguf(file) if file.suffix.lower() == GGUF else read_safetensors(file)
    if any(name.endswith((".scale_weight", "scaled_fp8", ".comfy_quant")) for name in header.tensors):
        raise ModelProblem(
            f"{file.name} holds 8-bit weights with scales of their own, which this program does not read.",
            "Choose the file in 16 bit, in plain 8 bit, or as GGUF.",
        )
    return {name: entry.shape for name, entry in header.tensors.items()}


def _holds(names: Iterable[str], part: str, kind: str) -> bool:
    beginnings = _HELD.get(kind) or _HELD.get(part, ())
    return any(name.startswith(beginnings) for name in names)


def _refuse_missing(file: Path, kit: Path, parts: list[str]) -> None:
    missing = [part for part in parts if not any(next((kit / part).glob(kind), None) for kind in _WEIGHTS)]
    if missing:
        raise ModelProblem(
            f"{file.name} holds no weights of {', '.join(missing)}, and {kit} has none either.",
            "Put them there, or use a file that holds the whole model.",
        )


def _denoiser(file: Path, kit: Path, kind: str, part: str, precision: torch.dtype, shapes: Shapes) -> Any:
    quantised = {}
    if file.suffix.lower() == GGUF:
        quantised = {"quantization_config": diffusers.GGUFQuantizationConfig(compute_dtype=precision)}
    return getattr(diffusers, kind).from_single_file(
        _under_known_names(file, kind, shapes),
        config=str(kit),
        subfolder=part,
        local_files_only=True,
        dtype=precision,
        **changes(kind, shapes),
        **quantised,
    )


def _under_known_names(file: Path, kind: str, names: Iterable[str]) -> str | dict[str, Any]:
    """The file itself where diffusers knows its names, else its tensors under others: a bare UNet's as in a whole
    checkpoint, where alone they are known, and FLUX.1's, which are known at one width."""
    if "input_blocks.0.0.weight" in names:
        return {f"{PREFIX}{name}": tensor for name, tensor in load_single_file_checkpoint(str(file)).items()}
    if kind == "FluxTransformer2DModel" and any("double_blocks." in name for name in names):
        return flux_names.renamed(load_single_file_checkpoint(str(file)))
    return str(file)


def _as_trained(pipeline: Any, marks: Collection[str], denoiser: Any) -> Any:
    """The schedule the weights were trained for, where it is another than the kit's.

    `marks` are the file's variants and the names of its tensors: trainers mark a UNet that predicts velocity, and a
    schedule that ends in pure noise, by an empty tensor. FLUX.1 schnell, which is not guided, does not move its steps
    with the picture's size as its guided siblings do.
    """
    settings: dict[str, Any] = {}
    if type(denoiser).__name__ == "UNet2DConditionModel":
        settings = _prediction(marks)
    if type(denoiser).__name__ == "FluxTransformer2DModel":
        guided = bool(denoiser.config.guidance_embeds)
        settings = {"use_dynamic_shifting": guided, "shift": 3.0 if guided else 1.0}
    if settings:
        pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, **settings)
    return pipeline


def _prediction(marks: Collection[str]) -> dict[str, Any]:
    velocity = any(mark in marks for mark in (V_PREDICTION, "v_pred", "model.v_pred"))
    pure = velocity and any(mark in marks for mark in ("ztsnr", "model.ztsnr"))
    return {"prediction_type": "v_prediction" if velocity else "epsilon", "rescale_betas_zero_snr": pure}
