"""Makes pictures with the ordinary Stable Diffusion pipelines, always from given seeds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
)
from numpy.typing import NDArray
from PIL import Image

Pictures = NDArray[np.uint8]
SCHEDULERS = {
    "DDIM": DDIMScheduler,
    "Euler": EulerDiscreteScheduler,
    "DPM++": DPMSolverMultistepScheduler,
}
_BATCH = 20


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all pictures of an evaluation have in common."""

    steps: int = 16
    guidance: float = 3.0


class Generator:
    """A loaded starter model that draws lists of prompts."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.settings = settings
        self._drawing = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
        parts = self._drawing.components
        self._changing = StableDiffusionImg2ImgPipeline(**parts, requires_safety_checker=False)
        self._filling = StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False)
        for pipeline in (self._drawing, self._changing, self._filling):
            pipeline.set_progress_bar_config(disable=True)

    def use_scheduler(self, name: str) -> None:
        """Draw with another scheduler, made from the shipped one's configuration."""
        scheduler = SCHEDULERS[name].from_config(self._drawing.scheduler.config)
        self._drawing.register_modules(scheduler=scheduler)

    def text_to_image(self, prompts: list[str], first_seed: int = 0, negative: list[str] | None = None) -> Pictures:
        """One picture for each prompt, from seeds that count up."""
        made = []
        for start in range(0, len(prompts), _BATCH):
            part = slice(start, start + _BATCH)
            result = self._drawing(
                prompts[part],
                negative_prompt=None if negative is None else negative[part],
                generator=self._seeds(first_seed + start, len(prompts[part])),
                **self._common(),
            )
            made.append(result.images)
        return _as_bytes(np.concatenate(made))

    def image_to_image(self, prompt: str, pictures: Pictures, strength: float) -> Pictures:
        """The pictures changed towards the prompt."""
        result = self._changing(
            [prompt] * len(pictures),
            image=[Image.fromarray(p) for p in pictures],
            strength=strength,
            generator=self._seeds(0, len(pictures)),
            **self._common(),
        )
        return _as_bytes(result.images)

    def inpaint(self, prompts: list[str], pictures: Pictures, mask: NDArray[np.bool_]) -> Pictures:
        """The pictures with the masked part drawn anew, before any overlay."""
        result = self._filling(
            prompts,
            image=[Image.fromarray(p) for p in pictures],
            mask_image=[Image.fromarray(mask.astype(np.uint8) * 255)] * len(pictures),
            strength=1.0,
            generator=self._seeds(0, len(pictures)),
            height=pictures.shape[1],
            width=pictures.shape[2],
            **self._common(),
        )
        return _as_bytes(result.images)

    def _common(self) -> dict[str, object]:
        return {
            "num_inference_steps": self.settings.steps,
            "guidance_scale": self.settings.guidance,
            "output_type": "np",
        }

    @staticmethod
    def _seeds(first: int, count: int) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(first + i) for i in range(count)]


def _as_bytes(images: NDArray[np.floating]) -> Pictures:
    return (np.clip(images, 0, 1) * 255 + 0.5).astype(np.uint8)


def overlaid(originals: Pictures, inpainted: Pictures, mask: NDArray[np.bool_]) -> Pictures:
    """The inpainted pictures inside the mask, the originals outside."""
    return np.where(mask[None, ..., None], inpainted, originals)
