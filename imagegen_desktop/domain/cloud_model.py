"""CloudModel: what a model behind a provider can do, as data, and a request brought to just that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .checks import check_number, check_whole
from .errors import BadInput
from .families import IMAGE, INPAINT, TEXT
from .request import GenerationRequest

_TASK_WORDS = {TEXT: "pictures from words", IMAGE: "an image to start from", INPAINT: "a mask"}


@dataclass(frozen=True, kw_only=True)
class Range:
    """Inclusive limits and what is taken when nothing is said."""

    low: float
    high: float
    default: float


@dataclass(frozen=True, kw_only=True)
class SizeRule:
    """Which sizes a model makes: any multiple within limits, or only the listed ones. Sides and areas in pixels."""

    default: tuple[int, int] = (1024, 1024)
    multiple: int = 16
    least_pixels: int = 0
    most_pixels: int = 2**62
    least_side: int = 16
    most_side: int = 8192
    most_ratio: float = 100.0
    only: tuple[tuple[int, int], ...] = ()

    def snap(self, width: int, height: int) -> tuple[int, int]:
        """The possible size nearest to the asked one, keeping its proportions as far as they are possible."""
        if self.only:
            return min(self.only, key=lambda size: _distance(size, (width, height)))
        ratio = min(max(width / height, 1 / self.most_ratio), self.most_ratio)
        area = float(min(max(width * height, self.least_pixels), self.most_pixels))
        longest = max(ratio, 1 / ratio)
        area = min(area, self.most_side**2 / longest)
        area = max(area, self.least_side**2 * longest)
        sides = [(area * ratio) ** 0.5, (area / ratio) ** 0.5]
        return self._rounded(sides[0], sides[1])

    def _rounded(self, width: float, height: float) -> tuple[int, int]:
        """Multiples of `multiple` that respect every limit; steps down or up where rounding broke one."""
        unit = self.multiple
        choices = [
            (across, down)
            for across in (_floor(width, unit), _floor(width, unit) + unit)
            for down in (_floor(height, unit), _floor(height, unit) + unit)
            if self._allows(across, down)
        ]
        if not choices:
            return self.default
        return min(choices, key=lambda size: abs(size[0] - width) + abs(size[1] - height))

    def _allows(self, width: int, height: int) -> bool:
        return (
            self.least_side <= min(width, height)
            and max(width, height) <= self.most_side
            and self.least_pixels <= width * height <= self.most_pixels
            and max(width / height, height / width) <= self.most_ratio
        )


def _floor(side: float, unit: int) -> int:
    return max(unit, int(side // unit) * unit)


def _distance(size: tuple[int, int], asked: tuple[int, int]) -> tuple[float, int]:
    """First the proportions, then the area."""
    ours, theirs = size[0] / size[1], asked[0] / asked[1]
    return max(ours / theirs, theirs / ours), abs(size[0] * size[1] - asked[0] * asked[1])


@dataclass(frozen=True, kw_only=True)
class CloudModel:
    """`wording` is how its prompts are best written: prose or tags. Prices stand in `prices.py` by name."""

    name: str
    title: str
    summary: str = ""
    tasks: tuple[str, ...] = (TEXT,)
    sizes: SizeRule = field(default_factory=SizeRule)
    seeds: bool = False
    negative_prompt: bool = False
    strength: Range | None = None
    steps: Range | None = None
    guidance: Range | None = None
    qualities: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    previews: bool = False
    wording: str = "prose"


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A request a model can carry out, and what had to be changed for it, in words."""

    request: GenerationRequest
    notes: tuple[str, ...] = ()


def find_model(
    name: str | None, models: tuple[CloudModel, ...], default: str, retired: Mapping[str, str]
) -> CloudModel:
    """The model of that name, the default one for None; raises BadInput naming the possible ones."""
    for model in models:
        if model.name == (name or default):
            return model
    offered = ", ".join(model.name for model in models)
    if name is not None and name in retired:
        raise BadInput("model", name, f"the provider has shut it down; its successor is {retired[name]}")
    raise BadInput("model", name, f"one of {offered}")


def complete(model: CloudModel, request: GenerationRequest) -> GenerationRequest:
    """The request with what this model needs filled in; raises BadInput for what it cannot do at all."""
    if request.task not in model.tasks:
        raise BadInput("model", model.name, f"it does not take {_TASK_WORDS[request.task]}")
    if request.until is not None:
        raise BadInput("until", request.until, "only the engine on this computer stops at a step")
    _check_choice("quality", request.quality, model.qualities, model)
    _check_choice("background", request.background, model.backgrounds, model)
    if request.steps is not None and model.steps is not None:
        check_whole("steps", request.steps, int(model.steps.low), int(model.steps.high))
    if request.guidance is not None and model.guidance is not None:
        check_number("guidance", request.guidance, model.guidance.low, model.guidance.high)
    width, height = _asked_size(model, request)
    return replace(
        request,
        model=model.name,
        width=width,
        height=height,
        steps=int(model.steps.default) if model.steps and request.steps is None else request.steps,
        guidance=model.guidance.default if model.guidance and request.guidance is None else request.guidance,
        strength=_strength(model, request),
    )


def fit(model: CloudModel, request: GenerationRequest) -> Fitted:
    """A completed request as this model can carry it out, with a note for everything that was changed or left out."""
    notes: list[str] = []
    changes: dict[str, object] = {}
    width, height = request.width or model.sizes.default[0], request.height or model.sizes.default[1]
    snapped = model.sizes.snap(width, height)
    if snapped != (width, height):
        notes.append(f"size {width} × {height} snapped to {snapped[0]} × {snapped[1]}")
    changes["width"], changes["height"] = snapped
    for name, words, possible, nothing in (
        ("seed", "seed", model.seeds, None),
        ("negative_prompt", "negative prompt", model.negative_prompt, ""),
        ("steps", "number of steps", model.steps, None),
        ("guidance", "guidance", model.guidance, None),
        ("sampler", "sampler", False, None),
        ("strength", "strength", model.strength, None),
        ("clip_skip", "clip skip", False, None),
        ("tiling", "tiling", False, None),
        ("variation_seed", "variation seed", False, None),
        ("variation_strength", "variation strength", False, None),
        ("loras", "LoRAs", False, ()),
        ("vae", "other VAE", False, None),
        ("controls", "ControlNets", False, ()),
        ("image_prompts", "image prompts", False, ()),
    ):
        if not possible and getattr(request, name) not in (None, "", ()):
            notes.append(f"{words} left out: {model.title} has none")
            changes[name] = nothing
    if not model.negative_prompt:
        changes["style_negative"] = ""
    return Fitted(request=replace(request, **changes), notes=tuple(notes))  # type: ignore[arg-type]


def _asked_size(model: CloudModel, request: GenerationRequest) -> tuple[int, int]:
    """What was asked for; the source image's own size for an edit; the model's for the rest."""
    if request.image is not None and request.width is None and request.height is None:
        return model.sizes.snap(request.image.width, request.image.height)
    return request.width or model.sizes.default[0], request.height or model.sizes.default[1]


def _strength(model: CloudModel, request: GenerationRequest) -> float | None:
    if request.image is None or request.strength is not None or model.strength is None:
        return request.strength
    return model.strength.default


def _check_choice(name: str, value: str | None, choices: tuple[str, ...], model: CloudModel) -> None:
    if value is None or value in choices:
        return
    raise BadInput(name, value, "one of " + ", ".join(choices) if choices else f"{model.title} has no such choice")
