"""Model families: what everyone may know about them — names, sizes, defaults, tasks, samplers.

Which diffusers classes serve a family is the engine's knowledge (`engine/pipelines.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import BadInput

TEXT, IMAGE, INPAINT = "text", "image", "inpaint"

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

#: Samplers that solve the rectified flow of Stable Diffusion 3 and FLUX, in every task.
FLOW_SAMPLERS: tuple[str, ...] = ("Euler", "Euler Karras", "LCM")


@dataclass(frozen=True, kw_only=True)
class Family:
    """What a family of models can do and what it prefers.

    `keeps_own_numbers`: style presets change its words only; steps and guidance stay the model's
    (a distilled or very small model is ruined by another model's guidance).
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


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(name="starter", title="Starter", width=128, height=128, steps=20, guidance=4.0, keeps_own_numbers=True),
        Family(name="sd1", title="Stable Diffusion 1.5", width=512, height=512, steps=30, guidance=7.5),
        Family(name="sd2", title="Stable Diffusion 2.1", width=768, height=768, steps=30, guidance=7.5),
        Family(name="sdxl", title="Stable Diffusion XL", width=1024, height=1024, steps=30, guidance=5.0),
        Family(
            name="sd3",
            title="Stable Diffusion 3",
            width=1024,
            height=1024,
            steps=28,
            guidance=7.0,
            size_multiple=16,
            samplers=(*FLOW_SAMPLERS, "Heun"),
        ),
        Family(
            name="flux",
            title="FLUX.1",
            width=1024,
            height=1024,
            steps=28,
            guidance=3.5,
            size_multiple=16,
            samplers=FLOW_SAMPLERS,
            negative_prompt=False,
        ),
    )
}


def family(name: str) -> Family:
    """The family of that name; raises BadInput naming the known ones."""
    try:
        return FAMILIES[name]
    except KeyError:
        raise BadInput("model family", name, "known are " + ", ".join(FAMILIES)) from None


def check_sampler(name: str, of: Family) -> str:
    """`name` in its canonical spelling, whatever the case it was typed in."""
    for known in (MODEL_DEFAULT_SAMPLER, *of.samplers):
        if known.casefold() == name.strip().casefold():
            return known
    raise BadInput("sampler", name, f"{of.title} offers {', '.join((MODEL_DEFAULT_SAMPLER, *of.samplers))}")
