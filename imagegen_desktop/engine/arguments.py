"""What a pipeline is called with for a request: each class takes what it knows of the artist's wish."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from PIL import Image as Picture

from ..domain.families import INPAINT, TEXT
from ..domain.request import GenerationRequest
from .pipelines import PipelineFamily


def arguments_for(
    pipeline: Any,
    family: PipelineFamily,
    request: GenerationRequest,
    pictures: tuple[bytes, bytes],
    generator: torch.Generator,
) -> dict[str, Any]:
    """`pictures` are the source image's RGB rows and the mask's, of the request's size."""
    width, height = request.width or 0, request.height or 0
    arguments: dict[str, Any] = {
        "prompt": request.full_prompt,
        "num_inference_steps": request.steps,
        "generator": generator,
        **family.arguments,
    }
    takes = inspect.signature(pipeline.__call__).parameters
    if family.guidance:
        arguments[family.guidance] = request.guidance
    if family.negative_prompt:
        arguments["negative_prompt"] = request.full_negative_prompt
    if "width" in takes:
        arguments |= {"width": width, "height": height}
    if "max_area" in takes:
        # Otherwise it makes as many pixels as it was trained on, whatever size was asked for.
        arguments["max_area"] = width * height
    if request.task != TEXT:
        arguments["image"] = Picture.frombytes("RGB", (width, height), pictures[0])
        if "strength" in takes and request.strength is not None:
            arguments["strength"] = request.strength
    if request.task == INPAINT:
        arguments["mask_image"] = Picture.frombytes("L", (width, height), pictures[1])
    return arguments
