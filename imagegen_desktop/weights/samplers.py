"""Scheduler configs → the names artists know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Scheduler class and the flags that matter → the sampler's name as artists know it.
_SAMPLER_OF_CLASS = {
    "EulerDiscreteScheduler": "Euler",
    "EulerAncestralDiscreteScheduler": "Euler a",
    "DPMSolverSDEScheduler": "DPM++ SDE",
    "DPMSolverSinglestepScheduler": "DPM++ 2S",
    "KDPM2DiscreteScheduler": "DPM2",
    "KDPM2AncestralDiscreteScheduler": "DPM2 a",
    "UniPCMultistepScheduler": "UniPC",
    "DDIMScheduler": "DDIM",
    "DDPMScheduler": "DDPM",
    "HeunDiscreteScheduler": "Heun",
    "LMSDiscreteScheduler": "LMS",
    "PNDMScheduler": "PNDM",
    "DEISMultistepScheduler": "DEIS",
    "SASolverScheduler": "SA-Solver",
    "LCMScheduler": "LCM",
    "TCDScheduler": "TCD",
}


def sampler_of(scheduler: Mapping[str, Any]) -> str:
    """The name artists know for a scheduler config, empty when it is one we do not offer under a name."""
    kind = scheduler.get("_class_name", "")
    karras = bool(scheduler.get("use_karras_sigmas"))
    if kind == "DPMSolverMultistepScheduler":
        names = {"dpmsolver++": "DPM++ 2M", "sde-dpmsolver++": "DPM++ 2M SDE"}
        name = names.get(str(scheduler.get("algorithm_type", "dpmsolver++")), "")
    else:
        name = _SAMPLER_OF_CLASS.get(kind, "")
    if not karras or not name:
        return name
    return f"{name} Karras" if name in ("Euler", "DPM++ 2M", "DPM++ 2M SDE", "DPM++ SDE", "LMS") else ""
