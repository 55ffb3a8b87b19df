"""Model families: what everyone may know about them — names, sizes, defaults, tasks, samplers.

Which diffusers classes serve a family is the engine's knowledge (`engine/pipelines.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import BadInput

TEXT, IMAGE, INPAINT = "text", "image", "inpaint"

#: The family of models that have none here: text to image through whatever pipeline of diffusers they name.
OTHER = "other"

MODEL_DEFAULT_SAMPLER = "Model default"

#: Samplers that solve the noise-prediction equation of Stable Diffusion 1, 2 and XL,
#: by the names artists know, the most used first.
DIFFUSION_SAMPLERS: tuple[str, ...] = (
    "Euler a",
    "Euler",
    "Euler Karras",
    "DPM++ 2M",
    "DPM++ 2M Karras",
    "DPM++ 2M SDE",
    "DPM++ 2M SDE Karras",
    "DPM++ SDE",
    "DPM++ SDE Karras",
    "DPM++ 2S",
    "DPM2",
    "DPM2 a",
    "UniPC",
    "DDIM",
    "DDPM",
    "Heun",
    "LMS",
    "LMS Karras",
    "PNDM",
    "DEIS",
    "SA-Solver",
    "LCM",
    "TCD",
)

#: Samplers that solve the rectified flow of Stable Diffusion 3, FLUX and later models, in every task.
FLOW_SAMPLERS: tuple[str, ...] = ("Euler", "Euler Karras", "LCM")


@dataclass(frozen=True, kw_only=True)
class Family:
    """What a family of models can do and what it prefers.

    `keeps_own_numbers`: style presets change its words only; steps and guidance stay the model's
    (a distilled or very small model is ruined by another model's guidance). `image_is_reference`: a source image
    without a mask is looked at, not painted over, so that strength means nothing to it. `weights`: its
    prompts may weigh words and change them with the steps, and it can skip layers and draw without seams.
    `additions` are the kinds of things (as model cards call them) that can be added to its models.
    """

    name: str
    title: str
    width: int
    height: int
    steps: int
    guidance: float
    size_multiple: int = 8
    tasks: tuple[str, ...] = (TEXT, IMAGE, INPAINT)
    samplers: tuple[str, ...] = DIFFUSION_SAMPLERS
    negative_prompt: bool = True
    keeps_own_numbers: bool = False
    image_is_reference: bool = False
    weights: bool = True
    additions: tuple[str, ...] = ("lora", "vae")


_ALL_ADDITIONS = ("lora", "vae", "embedding", "controlnet", "ip-adapter")
_SHAPED = ("lora", "vae", "controlnet")


def _diffusion(name: str, title: str, side: int, guidance: float, **changes: Any) -> Family:
    """The U-Nets that predict noise."""
    own: dict[str, Any] = {"width": side, "height": side, "steps": 30, "additions": _ALL_ADDITIONS}
    return Family(name=name, title=title, guidance=guidance, **own | changes)


def _flow(name: str, title: str, steps: int, guidance: float, **changes: Any) -> Family:
    """Transformers that predict a flow: each is at home with its own few numbers."""
    own: dict[str, Any] = {
        "width": 1024,
        "height": 1024,
        "size_multiple": 16,
        "samplers": FLOW_SAMPLERS,
        "weights": False,
    }
    own |= {"steps": steps, "guidance": guidance, "keeps_own_numbers": True}
    return Family(name=name, title=title, **own | changes)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _diffusion("starter", "Starter", 128, 4.0, steps=20, keeps_own_numbers=True),
        _diffusion("sd1", "Stable Diffusion 1.5", 512, 7.5),
        _diffusion("sd2", "Stable Diffusion 2.1", 768, 7.5),
        _diffusion("sdxl", "Stable Diffusion XL", 1024, 5.0),
        _flow("sd3", "Stable Diffusion 3.5", 28, 4.5, samplers=(*FLOW_SAMPLERS, "Heun"), additions=_SHAPED),
        _flow("flux", "FLUX.1", 28, 3.5, negative_prompt=False, additions=_SHAPED),
        _flow("flux-kontext", "FLUX.1 Kontext", 28, 2.5, negative_prompt=False, image_is_reference=True),
        _flow("flux-fill", "FLUX.1 Fill", 50, 30.0, negative_prompt=False, tasks=(INPAINT,)),
        _flow("flux2", "FLUX.2 klein", 4, 1.0, negative_prompt=False, image_is_reference=True),
        _flow("zimage", "Z-Image Turbo", 9, 0.0),
        _flow("qwen", "Qwen-Image", 50, 4.0, width=1328, height=1328),
        _flow(OTHER, "Another model", 30, 4.5, size_multiple=32, tasks=(TEXT,), samplers=(), additions=()),
    )
}


def family(name: str) -> Family:
    """The family of that name; raises BadInput naming the known ones."""
    try:
        return FAMILIES[name]
    except KeyError:
        raise BadInput("model family", name, "known are " + ", ".join(FAMILIES)) from None


def check_task(task: str, of: Family) -> None:
    """Raises BadInput for a task the family has no way to do."""
    if task not in of.tasks:
        words = {TEXT: "words alone", IMAGE: "an image", INPAINT: "an image and a mask"}
        raise BadInput("model", of.title, f"it works from {' or '.join(words[known] for known in of.tasks)}")


def check_sampler(name: str, of: Family) -> str:
    """`name` in its canonical spelling, whatever the case it was typed in."""
    for known in (MODEL_DEFAULT_SAMPLER, *of.samplers):
        if known.casefold() == name.strip().casefold():
            return known
    raise BadInput("sampler", name, f"{of.title} offers {', '.join((MODEL_DEFAULT_SAMPLER, *of.samplers))}")
