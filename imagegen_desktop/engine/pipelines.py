"""Which diffusers classes serve a model family, and how its latents look in colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from ..domain.errors import ModelProblem
from ..domain.families import IMAGE, INPAINT, TEXT
from .latents import Unpack, normalised, packed, plain

Matrix = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, kw_only=True)
class LatentColours:
    """RGB in [-1, 1] is `latent @ matrix + bias`, for latents as the denoiser sees them."""

    matrix: Matrix
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class PipelineFamily:
    """`classes`: the pipeline of each task; the first is the one that is loaded, the others share its parts.

    `flow`: the denoiser predicts a velocity, so that flow schedulers solve it. `negative_prompt`: its pipelines
    take one. `guidance`: what their guidance scale is called. `absent`: parts that are left out. `extra` goes to
    every constructor, `arguments` to every call. `unpack` brings latents into a picture's shape. `colours` None:
    measured from the model's own autoencoder when it is loaded.
    """

    classes: Mapping[str, str]
    flow: bool = False
    negative_prompt: bool = True
    guidance: str = "guidance_scale"
    denoiser: str = "unet"
    text_encoders: tuple[str, ...] = ("text_encoder",)
    half: torch.dtype = torch.float16
    absent: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    unpack: Unpack = plain
    colours: LatentColours | None = None

    @property
    def base(self) -> str:
        """The pipeline class that is loaded."""
        return next(iter(self.classes.values()))


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


def _transformer(classes: Mapping[str, str], encoders: int = 1, **changes: Any) -> PipelineFamily:
    """A family whose denoiser is a transformer that predicts a flow; none of them was trained in float16."""
    return PipelineFamily(
        classes=classes,
        flow=True,
        denoiser="transformer",
        text_encoders=("text_encoder", "text_encoder_2", "text_encoder_3")[:encoders],
        half=torch.bfloat16,
        **changes,
    )


def _flux(classes: Mapping[str, str], **changes: Any) -> PipelineFamily:
    absent = ("feature_extractor", "image_encoder")
    return _transformer(classes, encoders=2, negative_prompt=False, absent=absent, unpack=packed, **changes)


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
    "sd3": _transformer(
        {
            TEXT: "StableDiffusion3Pipeline",
            IMAGE: "StableDiffusion3Img2ImgPipeline",
            INPAINT: "StableDiffusion3InpaintPipeline",
        },
        encoders=3,
        absent=("feature_extractor", "image_encoder"),
    ),
    "flux": _flux({TEXT: "FluxPipeline", IMAGE: "FluxImg2ImgPipeline", INPAINT: "FluxInpaintPipeline"}),
    "flux-kontext": _flux(
        {TEXT: "FluxKontextPipeline", IMAGE: "FluxKontextPipeline", INPAINT: "FluxKontextInpaintPipeline"},
        # The reference already has the picture's size.
        arguments={"_auto_resize": False},
    ),
    "flux-fill": _flux({INPAINT: "FluxFillPipeline"}),
    "flux2": _transformer(
        {TEXT: "Flux2KleinPipeline", IMAGE: "Flux2KleinPipeline", INPAINT: "Flux2KleinInpaintPipeline"},
        negative_prompt=False,
        unpack=normalised,
    ),
    "zimage": _transformer(
        {TEXT: "ZImagePipeline", IMAGE: "ZImageImg2ImgPipeline", INPAINT: "ZImageInpaintPipeline"},
    ),
    "qwen": _transformer(
        {TEXT: "QwenImagePipeline", IMAGE: "QwenImageImg2ImgPipeline", INPAINT: "QwenImageInpaintPipeline"},
        guidance="true_cfg_scale",
        unpack=packed,
    ),
}


def pipelines_of(family: str) -> PipelineFamily:
    try:
        return PIPELINES[family]
    except KeyError:
        raise ModelProblem(f"The engine has no pipelines for the model family {family!r}.") from None
