"""What was found in a picture, field by field: mapped, approximated, missing, ignored. Nothing is trusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..domain.checks import MAX_PROMPT_BYTES
from ..domain.errors import BadInput
from ..domain.request import (
    MAX_CLIP_SKIP,
    MAX_GUIDANCE,
    MAX_SEED,
    MAX_SIDE,
    MAX_STEPS,
    TILINGS,
    GenerationRequest,
    LoraWeight,
    check_size,
)
from .recipe import Recipe

CORE_FIELDS = ("prompt", "negative_prompt", "width", "height", "steps", "guidance", "seed", "sampler", "model")
MOST_LORAS = 50
MOST_IGNORED = 200
LONGEST_NAME = 200
SIZE_MULTIPLE = 8

_NOT_OURS = ("scheduler", "strength", "loras", "model_hash")


@dataclass(frozen=True, kw_only=True)
class FoundSettings:
    """`request` holds plain values by name; `recipe` is there when the picture is ours, and then loses nothing."""

    source: str
    request: dict[str, Any]
    mapped: tuple[str, ...] = ()
    approximated: tuple[dict[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    recipe: Recipe | None = None

    def to_dict(self) -> dict[str, Any]:
        """As `inspect --json` prints it."""
        return {
            "source": self.source,
            "request": self.request,
            "mapped": list(self.mapped),
            "approximated": list(self.approximated),
            "missing": list(self.missing),
            "ignored": list(self.ignored),
        }

    def as_request(self) -> GenerationRequest:
        """A partial request with what was found; the strength is left out, as it needs a source image."""
        if self.recipe is not None:
            return self.recipe.request
        values = {name: value for name, value in self.request.items() if name not in _NOT_OURS}
        loras = tuple(LoraWeight(**lora) for lora in self.request.get("loras", ()))
        return GenerationRequest(**values, loras=loras)


def found_recipe(recipe: Recipe, source: str) -> FoundSettings:
    """What a picture of ours says: everything."""
    request = recipe.request.to_dict()
    mapped = tuple(name for name, value in request.items() if value not in (None, "", [], ()))
    missing = tuple(name for name in CORE_FIELDS if request.get(name) is None)
    return FoundSettings(source=source, request=request, mapped=mapped, missing=missing, recipe=recipe)


class Findings:
    """Gathers what a foreign picture says; values out of range are ignored, never an error."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._request: dict[str, Any] = {}
        self._approximated: list[dict[str, str]] = []
        self._ignored: list[str] = []

    def put(self, field: str, value: object, called: str = "") -> None:
        """Takes a value if it is possible; the first of a field counts. None and "" are nothing."""
        if value is None or value == "" or field in self._request:
            return
        try:
            self._request[field] = _READERS[field](value)
        except (ValueError, TypeError, OverflowError):
            self.ignore(called or field)

    def put_size(self, width: object, height: object) -> None:
        """Width and height, rounded to what our models can make."""
        if width is None and height is None:
            return
        try:
            sides = [_whole(width, 1, 4 * MAX_SIDE), _whole(height, 1, 4 * MAX_SIDE)]
            near = [min(max(round(side / SIZE_MULTIPLE) * SIZE_MULTIPLE, SIZE_MULTIPLE), MAX_SIDE) for side in sides]
            check_size(*near)
        except (ValueError, TypeError, OverflowError, BadInput):
            self.ignore("size")
            return
        for field, side, rounded in zip(("width", "height"), sides, near, strict=True):
            if field not in self._request:
                self._request[field] = rounded
                if rounded != side:
                    self.approximate(field, str(side), str(rounded))

    def put_lora(self, name: object, weight: object = 1.0) -> None:
        """One more LoRA."""
        loras = self._request.setdefault("loras", [])
        try:
            lora = {"name": _model_name(name), "weight": _number(1.0 if weight is None else weight, -10.0, 10.0)}
        except (ValueError, TypeError, OverflowError):
            self.ignore("LoRA")
            return
        if len(loras) < MOST_LORAS and lora not in loras:
            loras.append(lora)

    def approximate(self, field: str, was: str, became: str) -> None:
        """Notes that a value is near to what was there, but not the same."""
        self._approximated.append({"field": field, "from": _shortened(was), "to": _shortened(became)})

    def ignore(self, *names: str) -> None:
        """Notes what could not be used."""
        for name in names:
            short = _shortened(name)
            if short not in self._ignored and len(self._ignored) < MOST_IGNORED:
                self._ignored.append(short)

    def ignore_rest(self, names: Iterable[object], used: Iterable[str]) -> None:
        """Notes every name that is not among those used."""
        known = set(used)
        self.ignore(*(str(name) for name in names if name not in known))

    def __bool__(self) -> bool:
        return bool(self._request)

    def result(self) -> FoundSettings:
        """All of it; a field that is only near counts as approximated, not as mapped."""
        if not self._request.get("loras", True):
            del self._request["loras"]
        near = {each["field"] for each in self._approximated}
        return FoundSettings(
            source=self.source,
            request=dict(self._request),
            mapped=tuple(name for name in self._request if name not in near),
            approximated=tuple(self._approximated),
            missing=tuple(name for name in CORE_FIELDS if name not in self._request),
            ignored=tuple(self._ignored),
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    text = value.replace("\0", "").encode("utf-8", "ignore").decode().strip()
    if len(text.encode()) >= MAX_PROMPT_BYTES:
        raise ValueError
    return text


def _whole(value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    if isinstance(value, str) and len(value) > 40:
        raise ValueError
    try:
        number = int(value)
        exact = number == value if isinstance(value, float) else True
    except ValueError:
        number, exact = int(float(value)), float(value).is_integer()
    if not exact or not low <= number <= high:
        raise ValueError
    return number


def _number(value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    if isinstance(value, str) and len(value) > 40:
        raise ValueError
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise ValueError
    return number


def _one_of(value: object, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError
    return str(value)


def _model_name(value: object) -> str:
    """The name alone: a picture may not point at a folder of this machine."""
    name = _text(value).replace("\\", "/").rsplit("/", 1)[-1]
    for ending in (".safetensors", ".ckpt", ".pt", ".gguf", ".bin"):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    name = "".join(c for c in name if c.isprintable()).strip(" .")
    if not name or len(name) > LONGEST_NAME:
        raise ValueError
    return name


def _shortened(text: str) -> str:
    clean = "".join(c if c.isprintable() else " " for c in text).encode("utf-8", "ignore").decode()
    return clean if len(clean) <= 80 else clean[:79] + "…"


_READERS: dict[str, Callable[[object], Any]] = {
    "prompt": _text,
    "negative_prompt": _text,
    "steps": lambda value: _whole(value, 1, MAX_STEPS),
    "guidance": lambda value: _number(value, 0.0, MAX_GUIDANCE),
    "seed": lambda value: _whole(value, 0, MAX_SEED),
    "strength": lambda value: _number(value, 0.0, 1.0),
    "clip_skip": lambda value: _whole(value, 1, MAX_CLIP_SKIP),
    "variation_seed": lambda value: _whole(value, 0, MAX_SEED),
    "variation_strength": lambda value: _number(value, 0.0, 1.0),
    "tiling": lambda value: _one_of(value, TILINGS),
    "sampler": _text,
    "scheduler": _text,
    "model": _model_name,
    "vae": _model_name,
    "model_hash": lambda value: _text(value)[:LONGEST_NAME],
}
