"""Replicate's models we know, as of 2026-11: what each can do, and its inputs for when the schema cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..domain.cloud_model import CloudModel, Range, SizeRule
from ..domain.families import IMAGE, INPAINT, TEXT

#: Aspect ratios and the size each comes out at, at about one megapixel.
RATIOS: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "3:4": (896, 1152),
    "4:3": (1152, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}

_BY_RATIO = SizeRule(only=tuple(RATIOS.values()))
_FREE_TO_1440 = SizeRule(multiple=32, least_side=256, most_side=1440)
_STEPS_50 = Range(low=1, high=50, default=28)


def _model(name: str, title: str, **abilities: Any) -> CloudModel:
    known: dict[str, Any] = {"sizes": _BY_RATIO, "seeds": True}
    return CloudModel(name=name, title=title, **(known | abilities))


_FLUX = "black-forest-labs"
_SD35 = "stability-ai/stable-diffusion-3.5"
_STRENGTH = Range(low=0.0, high=1.0, default=0.85)

MODELS: tuple[CloudModel, ...] = (
    _model(
        f"{_FLUX}/flux-schnell",
        "FLUX.1 Schnell",
        summary="Fast and cheap.",
        steps=Range(low=1, high=4, default=4),
    ),
    _model(
        f"{_FLUX}/flux-dev",
        "FLUX.1 Dev",
        tasks=(TEXT, IMAGE),
        steps=_STEPS_50,
        guidance=Range(low=0, high=10, default=3.0),
        strength=Range(low=0.0, high=1.0, default=0.8),
    ),
    _model(f"{_FLUX}/flux-1.1-pro", "FLUX 1.1 Pro", tasks=(TEXT, IMAGE), sizes=_FREE_TO_1440),
    _model(f"{_FLUX}/flux-1.1-pro-ultra", "FLUX 1.1 Pro Ultra", summary="Four megapixels.", tasks=(TEXT, IMAGE)),
    _model(f"{_FLUX}/flux-kontext-pro", "FLUX Kontext Pro", summary="Edits by instruction.", tasks=(TEXT, IMAGE)),
    _model(f"{_FLUX}/flux-kontext-max", "FLUX Kontext Max", summary="Edits by instruction.", tasks=(TEXT, IMAGE)),
    _model(
        f"{_FLUX}/flux-fill-pro",
        "FLUX Fill Pro",
        summary="Paints inside a mask.",
        tasks=(INPAINT,),
        sizes=SizeRule(multiple=16, least_side=256, most_side=2048),
        steps=Range(low=15, high=50, default=50),
        guidance=Range(low=1.5, high=100, default=60.0),
    ),
    _model(
        f"{_SD35}-large",
        "Stable Diffusion 3.5 Large",
        tasks=(TEXT, IMAGE),
        negative_prompt=True,
        steps=Range(low=1, high=50, default=35),
        guidance=Range(low=1, high=20, default=3.5),
        strength=_STRENGTH,
    ),
    _model(
        f"{_SD35}-large-turbo",
        "Stable Diffusion 3.5 Large Turbo",
        tasks=(TEXT, IMAGE),
        negative_prompt=True,
        guidance=Range(low=1, high=10, default=1.0),
        strength=_STRENGTH,
    ),
    _model(
        f"{_SD35}-medium",
        "Stable Diffusion 3.5 Medium",
        tasks=(TEXT, IMAGE),
        negative_prompt=True,
        steps=Range(low=1, high=50, default=40),
        guidance=Range(low=1, high=20, default=5.0),
        strength=_STRENGTH,
    ),
)
DEFAULT_MODEL = f"{_FLUX}/flux-schnell"

Schema = Mapping[str, Mapping[str, Any]]

_RATIO: Mapping[str, Any] = {"enum": list(RATIOS)}
_FORMAT: Mapping[str, Any] = {"enum": ["webp", "jpg", "png"]}
_PLAIN: dict[str, Mapping[str, Any]] = {"prompt": {}, "seed": {}, "output_format": _FORMAT}
_SD: dict[str, Mapping[str, Any]] = {
    **_PLAIN, "aspect_ratio": _RATIO, "cfg": {}, "image": {}, "prompt_strength": {}, "negative_prompt": {},
}  # fmt: skip
_FLUX_OPEN: dict[str, Mapping[str, Any]] = {
    **_PLAIN, "aspect_ratio": _RATIO, "num_outputs": {}, "num_inference_steps": {}, "go_fast": {},
}  # fmt: skip
_KONTEXT: dict[str, Mapping[str, Any]] = {**_PLAIN, "input_image": {}, "aspect_ratio": _RATIO}

#: The inputs each model takes, as last seen.
FALLBACK_SCHEMAS: dict[str, Schema] = {
    f"{_FLUX}/flux-schnell": {**_FLUX_OPEN, "num_inference_steps": {"minimum": 1, "maximum": 4}},
    f"{_FLUX}/flux-dev": {**_FLUX_OPEN, "image": {}, "prompt_strength": {}, "guidance": {}},
    f"{_FLUX}/flux-1.1-pro": {
        **_PLAIN, "aspect_ratio": {"enum": ["custom", *RATIOS]}, "width": {}, "height": {}, "image_prompt": {},
    },
    f"{_FLUX}/flux-1.1-pro-ultra": {**_PLAIN, "aspect_ratio": _RATIO, "image_prompt": {},
                                    "output_format": {"enum": ["jpg", "png"]}},
    f"{_FLUX}/flux-kontext-pro": _KONTEXT,
    f"{_FLUX}/flux-kontext-max": _KONTEXT,
    f"{_FLUX}/flux-fill-pro": {**_PLAIN, "image": {}, "mask": {}, "steps": {}, "guidance": {}},
    f"{_SD35}-large": {**_SD, "steps": {}},
    f"{_SD35}-large-turbo": _SD,
    f"{_SD35}-medium": {**_SD, "steps": {}},
}  # fmt: skip
