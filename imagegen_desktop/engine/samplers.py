"""Samplers by the names artists know: a diffusers scheduler class and what it changes of the model's own settings.

No image sees a scheduler that another one has used.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import diffusers

from ..domain.errors import BadInput
from ..domain.families import MODEL_DEFAULT_SAMPLER

_PLAIN: dict[str, Any] = {"use_karras_sigmas": False}
_KARRAS: dict[str, Any] = {"use_karras_sigmas": True}
_DPM: dict[str, Any] = {"algorithm_type": "dpmsolver++", "solver_type": "midpoint", "solver_order": 2}
_DPM_SDE: dict[str, Any] = _DPM | {"algorithm_type": "sde-dpmsolver++"}
# Latents are not pixels: clipping them to [-1, 1], as these classes do unless told, ruins the image.
_UNCLIPPED: dict[str, Any] = {"clip_sample": False}


@dataclass(frozen=True)
class Sampler:
    """`scheduler` is a class name of diffusers; `changes` are settings a model's configuration must not decide."""

    scheduler: str
    changes: Mapping[str, Any] = field(default_factory=dict)


SAMPLERS: dict[str, Sampler] = {
    "Euler a": Sampler("EulerAncestralDiscreteScheduler"),
    "Euler": Sampler("EulerDiscreteScheduler", _PLAIN),
    "Euler Karras": Sampler("EulerDiscreteScheduler", _KARRAS),
    "DPM++ 2M": Sampler("DPMSolverMultistepScheduler", _DPM | _PLAIN),
    "DPM++ 2M Karras": Sampler("DPMSolverMultistepScheduler", _DPM | _KARRAS),
    "DPM++ 2M SDE": Sampler("DPMSolverMultistepScheduler", _DPM_SDE | _PLAIN),
    "DPM++ 2M SDE Karras": Sampler("DPMSolverMultistepScheduler", _DPM_SDE | _KARRAS),
    "DPM++ SDE": Sampler("DPMSolverSDEScheduler", _PLAIN),
    "DPM++ SDE Karras": Sampler("DPMSolverSDEScheduler", _KARRAS),
    "DPM++ 2S": Sampler("DPMSolverSinglestepScheduler", _DPM | _PLAIN),
    "DPM2": Sampler("KDPM2DiscreteScheduler", _PLAIN),
    "DPM2 a": Sampler("KDPM2AncestralDiscreteScheduler", _PLAIN),
    "UniPC": Sampler("UniPCMultistepScheduler", {"solver_type": "bh2", "solver_order": 2} | _PLAIN),
    "DDIM": Sampler("DDIMScheduler", _UNCLIPPED | {"set_alpha_to_one": False}),
    "DDPM": Sampler("DDPMScheduler", _UNCLIPPED),
    "Heun": Sampler("HeunDiscreteScheduler", _PLAIN),
    "LMS": Sampler("LMSDiscreteScheduler", _PLAIN),
    "LMS Karras": Sampler("LMSDiscreteScheduler", _KARRAS),
    "PNDM": Sampler("PNDMScheduler", {"skip_prk_steps": True, "set_alpha_to_one": False}),
    "DEIS": Sampler("DEISMultistepScheduler", {"algorithm_type": "deis", "solver_type": "logrho", "solver_order": 2}),
    "SA-Solver": Sampler("SASolverScheduler", {"algorithm_type": "data_prediction"} | _PLAIN),
    "LCM": Sampler("LCMScheduler", _UNCLIPPED),
    "TCD": Sampler("TCDScheduler", _UNCLIPPED),
}

FLOW_SAMPLERS: dict[str, Sampler] = {
    "Euler": Sampler("FlowMatchEulerDiscreteScheduler", _PLAIN),
    "Euler Karras": Sampler("FlowMatchEulerDiscreteScheduler", _KARRAS),
    "Heun": Sampler("FlowMatchHeunDiscreteScheduler"),
    "LCM": Sampler("FlowMatchLCMScheduler"),
}


class Schedulers:
    """A model's schedulers, each built once from the configuration the model came with and copied for every image.

    Some take a sixth of a second to build. `own` is the scheduler of the model's folder and stays untouched.
    """

    def __init__(self, own: Any, flow: bool) -> None:
        self._own = own
        self._samplers = FLOW_SAMPLERS if flow else SAMPLERS
        self._built: dict[str, Any] = {}

    def fresh(self, name: str, seed: int, steps: int) -> Any:
        """A scheduler for one image of that many steps, as if just built."""
        if name not in self._built:
            self._built[name] = self._build(name)
        scheduler = copy.deepcopy(self._built[name])
        kind = type(scheduler).__name__
        if kind == "DPMSolverSDEScheduler":
            # Its Brownian tree takes no generator; unseeded it would differ every time.
            scheduler.noise_sampler_seed = seed
        if steps >= scheduler.config.num_train_timesteps and scheduler.config.get("steps_offset"):
            # Every step it was trained with, and the first of them is 0: moved on, the last would be one too many.
            scheduler.register_to_config(steps_offset=0)
        if kind in ("LCMScheduler", "TCDScheduler"):
            # Distilled samplers pick from this many steps of their teacher and refuse more.
            teacher = max(steps, scheduler.config.original_inference_steps)
            scheduler.register_to_config(original_inference_steps=teacher)
        return scheduler

    def _build(self, name: str) -> Any:
        if name == MODEL_DEFAULT_SAMPLER:
            return type(self._own).from_config(self._own.config)
        if name not in self._samplers:
            raise BadInput("sampler", name, f"this model takes {', '.join((MODEL_DEFAULT_SAMPLER, *self._samplers))}")
        sampler = self._samplers[name]
        return getattr(diffusers, sampler.scheduler).from_config(self._own.config, **sampler.changes)
