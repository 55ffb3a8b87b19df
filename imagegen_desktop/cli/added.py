"""`--lora`, `--vae`, `--control`, `--ip-adapter`: what is added to the model, as it is typed."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..domain.errors import BadInput
from ..domain.request import PREPARATIONS, Control, ImagePrompt, LoraWeight, SourceImage
from ..services.sources import Sources

#: What is typed once for each ControlNet or IP-Adapter, in their order, and what is taken where it is not.
_OF_EACH: dict[str, Any] = {"weight": 1.0, "start": 0.0, "end": 1.0}
_OF_CONTROL = _OF_EACH | {"preparation": "none"}

#: The fields of a request that `pictured` fills.
PICTURED = ("controls", "image_prompts")


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
    add("--ip-adapter", metavar="NAME", help="any number of times, each with its --ip-adapter-image", **several)
    add("--ip-adapter-image", type=Path, metavar="FILE", help="the picture that says what to draw", **several)
    add("--ip-adapter-weight", type=float, metavar="X", help="0 to 2, 1 as trained", **several)
    add("--ip-adapter-start", type=float, metavar="X", help="as --control-start", **several)
    add("--ip-adapter-end", type=float, metavar="X", help="as --control-end", **several)


def lora(text: str) -> LoraWeight:
    """`name`, `name:weight`, or `name:weight:weight for the text encoders`."""
    name, weights = text, list[float]()
    while len(weights) < 2 and ":" in name and (weight := _number(name.rpartition(":")[2])) is not None:
        name, weights = name.rpartition(":")[0], [weight, *weights]
    if not name.strip():
        raise BadInput("lora", text, "a name, or a name and a weight with a colon between")
    return LoraWeight(name=name, weight=(weights or [1.0])[0], text_weight=weights[1] if len(weights) > 1 else None)


def pictured(options: argparse.Namespace, sources: Sources | None = None) -> dict[str, Any]:
    """The ControlNets and IP-Adapters that were typed, by the request's field names; without `sources` with stand-ins
    for their pictures."""
    found = {
        "controls": tuple(Control(**each) for each in _each(options, "control", _OF_CONTROL, sources)),
        "image_prompts": tuple(ImagePrompt(**each) for each in _each(options, "ip_adapter", _OF_EACH, sources)),
    }
    return {name: several for name, several in found.items() if several}


def _each(
    options: argparse.Namespace, kind: str, usual: dict[str, Any], sources: Sources | None
) -> Iterator[dict[str, Any]]:
    names, pictures = getattr(options, kind) or [], getattr(options, f"{kind}_image") or []
    option = kind.replace("_", "-")
    if len(names) != len(pictures):
        raise BadInput(
            f"{option}-image", len(pictures), f"one picture for each --{option}, of which there are {len(names)}"
        )
    given = {name: getattr(options, f"{kind}_{name}") or [] for name in usual}
    for name, values in given.items():
        if len(values) > len(names):
            raise BadInput(
                f"{option}-{name}", values[-1], f"at most one for each --{option}, of which there are {len(names)}"
            )
    for at, (model, picture) in enumerate(zip(names, pictures, strict=True)):
        image = sources.keep(picture) if sources else SourceImage(sha256="", width=512, height=512)
        yield {"model": model, "image": image} | {
            name: values[at] if at < len(values) else usual[name] for name, values in given.items()
        }


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
