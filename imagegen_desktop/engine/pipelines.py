"""Which diffusers classes serve a model family, and how its latents look in colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from ..domain.errors import ModelProblem
from ..domain.families import IMAGE, INPAINT, TEXT

Matrix = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, kw_only=True)
class LatentColours:
    """RGB in [-1, 1] is `latent @ matrix + bias`, for latents as the denoiser sees them."""

    matrix: Matrix
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class PipelineFamily:
    """`flow`: the denoiser predicts a velocity, so that flow schedulers solve it. `negative_prompt`: its pipelines
    take one. `colours` None: measured from the model's own autoencoder when it is loaded.
    """

    classes: Mapping[str, str]
    flow: bool = False
    negative_prompt: bool = True
    denoiser: str = "unet"
    text_encoders: tuple[str, ...] = ("text_encoder",)
    half: torch.dtype = torch.float16
    absent: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    colours: LatentColours | None = None


# Measured on Stable Diffusion 1.4 by keturn, https://discuss.huggingface.co/t/23204 (2022); the autoencoder of
# Stable Diffusion 2 is close enough for a preview.
_SD1_COLOURS = LatentColours(
    matrix=((0.298, 0.207, 0.208), (0.187, 0.286, 0.173), (-0.158, 0.189, 0.264), (-0.184, -0.271, -0.473))
)

# Published by Timothy Alexis Vass for RGB from 0 to 255 (2024),
# https://huggingface.co/blog/TimothyAlexisVass/explaining-the-sdxl-latent-space
_SDXL_COLOURS = LatentColours(
    matrix=((0.471, 0.471, 0.471), (-0.471, -0.039, 0.078), (0.196, 0.118, -0.039), (-0.549, -0.392, -0.275)),
    bias=(0.176, 0.098, 0.020),
)


def _stable_diffusion(colours: LatentColours | None) -> PipelineFamily:
    """Without the safety checker: what an artist draws on their own machine is theirs to judge."""
    return PipelineFamily(
        classes={
            TEXT: "StableDiffusionPipeline",
            IMAGE: "StableDiffusionImg2ImgPipeline",
            INPAINT: "StableDiffusionInpaintPipeline",
        },
        absent=("safety_checker", "feature_extractor", "image_encoder"),
        extra={"requires_safety_checker": False},
        colours=colours,
    )


PIPELINES: dict[str, PipelineFamily] = {
    "starter": _stable_diffusion(None),
    "sd1": _stable_diffusion(_SD1_COLOURS),
    "sd2": _stable_diffusion(_SD1_COLOURS),
    "sdxl": PipelineFamily(
        classes={
            TEXT: "StableDiffusionXLPipeline",
            IMAGE: "StableDiffusionXLImg2ImgPipeline",
            INPAINT: "StableDiffusionXLInpaintPipeline",
        },
        text_encoders=("text_encoder", "text_encoder_2"),
        absent=("feature_extractor", "image_encoder"),
        extra={"add_watermarker": False},
        colours=_SDXL_COLOURS,
    ),
    "sd3": PipelineFamily(
        classes={
            TEXT: "StableDiffusion3Pipeline",
            IMAGE: "StableDiffusion3Img2ImgPipeline",
            INPAINT: "StableDiffusion3InpaintPipeline",
        },
        flow=True,
        denoiser="transformer",
        text_encoders=("text_encoder", "text_encoder_2", "text_encoder_3"),
        half=torch.bfloat16,
        absent=("feature_extractor", "image_encoder"),
    ),
    "flux": PipelineFamily(
        classes={TEXT: "FluxPipeline", IMAGE: "FluxImg2ImgPipeline", INPAINT: "FluxInpaintPipeline"},
        flow=True,
        negative_prompt=False,
        denoiser="transformer",
        text_encoders=("text_encoder", "text_encoder_2"),
        half=torch.bfloat16,
        absent=("feature_extractor", "image_encoder"),
    ),
}


def pipelines_of(family: str) -> PipelineFamily:
    try:
        return PIPELINES[family]
    except KeyError:
        raise ModelProblem(f"The engine has no pipelines for the model family {family!r}.") from None
