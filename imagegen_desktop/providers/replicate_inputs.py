"""A request in the words of one Replicate model: whatever its schema knows, and a note for what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..domain.request import GenerationRequest
from .replicate_models import Schema
from .words import mapping

_MOST_SEED = 2**31

#: What we call it, what models call it, and how we say that a model lacks it.
_NAMES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("prompt", ("prompt",), "prompt"),
    ("negative_prompt", ("negative_prompt",), "negative prompt"),
    ("steps", ("steps", "num_inference_steps"), "number of steps"),
    ("guidance", ("guidance", "cfg", "guidance_scale", "cfg_scale"), "guidance"),
    ("strength", ("prompt_strength", "strength"), "strength"),
    ("image", ("image", "input_image", "image_prompt", "input_images"), "image"),
    ("mask", ("mask",), "mask"),
    ("seed", ("seed",), "seed"),
)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The `input` object of a prediction, and what could not be said in it."""

    values: dict[str, Any]
    notes: tuple[str, ...]


def schema_of(answer: object) -> Schema | None:
    """The input properties in a model's description; None when there are none to be found."""
    schemas: Any = answer
    for name in ("latest_version", "openapi_schema", "components", "schemas"):
        schemas = mapping(schemas).get(name)
    properties = mapping(mapping(mapping(schemas).get("Input")).get("properties"))
    if "prompt" not in properties:
        return None
    return {str(name): _resolved(mapping(value), mapping(schemas)) for name, value in properties.items()}


def inputs_of(request: GenerationRequest, index: int, schema: Schema, files: Mapping[str, str]) -> Inputs:
    """Image `index` of a fitted request; `files` are addresses or data URIs of image and mask."""
    wishes = {
        "prompt": request.full_prompt,
        "negative_prompt": request.full_negative_prompt or None,
        "steps": request.steps,
        "guidance": request.guidance,
        "strength": request.strength,
        "seed": None if request.seed is None else request.seed_of(index) % _MOST_SEED,
        **files,
    }
    values: dict[str, Any] = {}
    notes: list[str] = []
    for ours, theirs, words in _NAMES:
        wish = wishes.get(ours)
        if wish is None:
            continue
        name = next((name for name in theirs if name in schema), None)
        if name is None:
            notes.append(f"{words} left out: this version of the model has none")
        else:
            values[name] = [wish] if _is_list(schema[name]) else _within(wish, schema[name], words, notes)
    if request.seed is not None and request.seed_of(index) >= _MOST_SEED:
        notes.append(f"seed {request.seed_of(index)} became {request.seed_of(index) % _MOST_SEED}")
    return Inputs(values=values | _shape(request, schema) | _delivery(schema), notes=tuple(notes))


def _shape(request: GenerationRequest, schema: Schema) -> dict[str, Any]:
    """Width and height where the model takes them, else the nearest of its aspect ratios."""
    width, height = request.width or 1024, request.height or 1024
    ratios = [str(ratio) for ratio in schema.get("aspect_ratio", {}).get("enum", ())]
    if "width" in schema and "height" in schema and (not ratios or "custom" in ratios):
        return {"width": width, "height": height, **({"aspect_ratio": "custom"} if ratios else {})}
    possible = [(abs(wide / high - width / height), name) for name in ratios for wide, high in [_ratio(name)] if high]
    return {"aspect_ratio": min(possible)[1]} if possible else {}


def _delivery(schema: Schema) -> dict[str, Any]:
    """One picture without loss, and the slower way where the faster one does not heed the seed."""
    values: dict[str, Any] = {}
    formats = schema.get("output_format", {}).get("enum") or ["png"]
    if "output_format" in schema:
        values["output_format"] = next((kind for kind in ("png", "webp", "jpg") if kind in formats), formats[0])
    if "num_outputs" in schema:
        values["num_outputs"] = 1
    if "go_fast" in schema:
        values["go_fast"] = False
    return values


def _within(value: Any, limits: Mapping[str, Any], words: str, notes: list[str]) -> Any:
    if isinstance(value, str):
        return value
    low, high = limits.get("minimum"), limits.get("maximum")
    kept = value
    if isinstance(low, int | float):
        kept = max(kept, low)
    if isinstance(high, int | float):
        kept = min(kept, high)
    if kept != value:
        notes.append(f"{words} {value:g} became {kept:g}")
    return kept


def _resolved(value: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """A property with the enumeration it points to put in its place."""
    pointers = [value.get("$ref"), *(mapping(part).get("$ref") for part in value.get("allOf") or ())]
    for pointer in pointers:
        if isinstance(pointer, str):
            value = {**mapping(schemas.get(pointer.rpartition("/")[2])), **value}
    return value


def _is_list(limits: Mapping[str, Any]) -> bool:
    return limits.get("type") == "array"


def _ratio(name: str) -> tuple[int, int]:
    wide, _, high = name.partition(":")
    return (int(wide), int(high)) if wide.isdigit() and high.isdigit() else (0, 0)
