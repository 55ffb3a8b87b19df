"""`--lora`, `--vae`, `--control`: what is added to the model, as it is typed."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from ..domain.errors import BadInput
from ..domain.request import PREPARATIONS, Control, LoraWeight, SourceImage
from ..services.sources import Sources

#: What is typed once for each ControlNet, in their order, and what is taken where it is not.
_OF_CONTROL: dict[str, Any] = {"weight": 1.0, "start": 0.0, "end": 1.0, "preparation": "none"}


def add_options(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    several: dict[str, Any] = {"action": "append", "default": None}
    add(
        "--lora",
        type=lora,
        metavar="NAME:WEIGHT",
        dest="loras",
        help="any number of times; weight 1 if left out",
        **several,
    )
    add("--vae", metavar="NAME", help="an autoencoder other than the model's own")
    add("--control", metavar="NAME", help="a ControlNet; any number of times, each with its --control-image", **several)
    add("--control-image", type=Path, metavar="FILE", help="the picture whose shapes it keeps", **several)
    add("--control-weight", type=float, metavar="X", help="0 to 2, 1 as trained", **several)
    add("--control-start", type=float, metavar="X", help="share of the steps after which it begins, 0 to 1", **several)
    add("--control-end", type=float, metavar="X", help="share of the steps after which it ends, 0 to 1", **several)
    add("--control-preparation", metavar="NAME", help=", ".join(PREPARATIONS), **several)


def lora(text: str) -> LoraWeight:
    """`name`, `name:weight`, or `name:weight:weight for the text encoders`."""
    name, weights = text, list[float]()
    while len(weights) < 2 and ":" in name and (weight := _number(name.rpartition(":")[2])) is not None:
        name, weights = name.rpartition(":")[0], [weight, *weights]
    if not name.strip():
        raise BadInput("lora", text, "a name, or a name and a weight with a colon between")
    return LoraWeight(name=name, weight=(weights or [1.0])[0], text_weight=weights[1] if len(weights) > 1 else None)


def controls(options: argparse.Namespace, sources: Sources | None = None) -> tuple[Control, ...]:
    """The ControlNets that were typed; without `sources` with stand-ins for their pictures."""
    names, pictures = options.control or [], options.control_image or []
    if len(names) != len(pictures):
        raise BadInput(
            "control-image", len(pictures), f"one picture for each --control, of which there are {len(names)}"
        )
    given = {name: getattr(options, f"control_{name}") or [] for name in _OF_CONTROL}
    for name, values in given.items():
        if len(values) > len(names):
            raise BadInput(
                f"control-{name}", values[-1], f"at most one for each --control, of which there are {len(names)}"
            )
    return tuple(
        Control(
            model=model,
            image=sources.keep(picture) if sources else SourceImage(sha256="", width=512, height=512),
            **{name: values[at] if at < len(values) else _OF_CONTROL[name] for name, values in given.items()},
        )
        for at, (model, picture) in enumerate(zip(names, pictures, strict=True))
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
