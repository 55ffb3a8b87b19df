"""Any other text-to-image pipeline of diffusers, described by what its class takes."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import diffusers
import torch

from ..domain.errors import ModelProblem
from ..domain.families import TEXT
from .latents import guessed
from .pipelines import PipelineFamily

_CALLED_WITH = ("prompt", "num_inference_steps", "generator")
_MADE_OF = ("vae", "scheduler")
_FOR_FILMS = ("num_frames", "video_length", "audio_length_in_s")
_DENOISERS = ("transformer", "unet")
_GUIDANCE = ("guidance_scale", "true_cfg_scale")


def described(folder: Path) -> PipelineFamily:
    """The family of one: raises ModelProblem when its class is not ours to call."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        name, scheduler = str(index["_class_name"]), str(index.get("scheduler", [None, ""])[1])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelProblem(f"{folder.name} is not a model folder: it has no readable model_index.json.") from error
    kind = getattr(diffusers, name, None)
    if not (inspect.isclass(kind) and issubclass(kind, diffusers.DiffusionPipeline)):
        raise ModelProblem(f"{folder.name} is a {name}, which diffusers {diffusers.__version__} does not know.")
    parts, takes = (inspect.signature(call).parameters for call in (kind.__init__, kind.__call__))
    denoiser = next((part for part in _DENOISERS if part in parts), "")
    lacking = [part for part in _MADE_OF if part not in parts] + [word for word in _CALLED_WITH if word not in takes]
    moving = [word for word in _FOR_FILMS if word in takes]
    if lacking or moving or not denoiser:
        raise ModelProblem(f"{folder.name} is a {name}, which does not make pictures from words alone.")
    arguments: dict[str, Any] = {"use_resolution_binning": False} if "use_resolution_binning" in takes else {}
    return PipelineFamily(
        classes={TEXT: name},
        flow=scheduler.startswith("FlowMatch"),
        negative_prompt="negative_prompt" in takes,
        guidance=next((word for word in _GUIDANCE if word in takes), ""),
        denoiser=denoiser,
        text_encoders=tuple(part for part in parts if part.startswith("text_encoder")),
        half=torch.bfloat16,
        arguments=arguments,
        unpack=guessed,
    )
