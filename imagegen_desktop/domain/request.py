"""GenerationRequest: everything that decides the pixels, in one frozen value.

It is what a pane builds, the queue stores, the engine receives, the command line and REST accept,
the PNG carries and the history indexes. There is no second shape of it. A request may be partial
(None = "the model's own"); `services/compose.py` completes it before it is queued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .checks import check_number, check_text, check_whole
from .errors import BadInput

VERSION = 1
MAX_SEED = 2**64 - 1
MAX_SIDE = 8192
MAX_PIXELS = 8192 * 4096
MAX_STEPS = 1000
MAX_GUIDANCE = 100.0
MAX_COUNT = 10_000
MAX_CLIP_SKIP = 12

#: Which edges of a picture meet without a seam.
TILINGS = ("x", "y", "both")

#: Pixels of the square an IP-Adapter is shown of its picture: no image encoder looks at more.
REFERENCE_SIDE = 448

#: What can be made of a picture for a ControlNet.
PREPARATIONS = ("none", "canny", "depth", "pose", "scribble", "tile")


@dataclass(frozen=True, kw_only=True)
class LoraWeight:
    """A LoRA by name and how strongly it acts (1.0 as trained, 0 not at all), on the text encoders as well
    unless `text_weight` says otherwise."""

    name: str
    weight: float = 1.0
    text_weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class SourceImage:
    """A picture the job starts from, kept by us under its SHA-256 so that a job never loses it.

    `origin` is the ID of the library's picture it is (a part of), empty for any other.
    """

    sha256: str
    width: int
    height: int
    name: str = ""
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Guide:
    """A picture that acts on the drawing through a network beside the model, between `start` and `end`, which are
    shares of the steps."""

    model: str
    image: SourceImage
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def acts(self, step: int, steps: int) -> bool:
        """In iteration `step` (from 0) of `steps`."""
        return step / steps >= self.start and (step + 1) / steps <= self.end


@dataclass(frozen=True, kw_only=True)
class Control(Guide):
    """A picture whose shapes a ControlNet holds the drawing to; `preparation` makes of it what the ControlNet was
    trained on ("none": it is that already)."""

    preparation: str = "none"


@dataclass(frozen=True, kw_only=True)
class ImagePrompt(Guide):
    """A picture that says what words would, through an IP-Adapter."""


@dataclass(frozen=True, kw_only=True)
class BranchPoint:
    """Where an image left the path of another: after iteration `step` of `request`, which drew image `image`;
    LAST_STEP leaves it when it is finished, and only decodes it again."""

    step: int
    image: str
    request: GenerationRequest

    @property
    def origin(self) -> BranchPoint:
        """The nearest ancestor whose own path is left: one that had not branched itself by then."""
        found = self
        while found.request.branch is not None and found.request.branch.step >= self.step:
            found = found.request.branch
        return found


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """One job's wish. Sizes in pixels, strength 0…1, seeds 0…2⁶⁴−1 (image i of a batch uses seed + i).

    A prompt may hold wildcards; then `prompts` and `negative_prompts` are what they became, one for each image.
    `clip_skip` counts the text encoder's layers from its end: 1 is the last, 2 leaves one out. `variation_strength`
    0…1 moves the noise from the seed's towards the variation seed's, which then counts on instead of the seed.

    `upscale` makes the image that many times larger and draws nothing. `hires_factor` draws at the size given, makes
    that so many times larger and draws over it with `hires_strength`. `upscaler` enlarges: a network, or Lanczos.

    `until` stops the job at that step of the scheduler, where it waits with what it has. `embeddings` are the words
    of the prompts that textual inversions stand for; `vae` names an autoencoder other than the model's own.
    """

    prompt: str = ""
    negative_prompt: str = ""
    prompts: tuple[str, ...] = ()
    negative_prompts: tuple[str, ...] = ()
    style: str = "none"
    style_prompt: str = ""
    style_negative: str = ""
    provider: str = "local"
    model: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    seed: int | None = None
    variation_seed: int | None = None
    variation_strength: float | None = None
    count: int = 1
    clip_skip: int | None = None
    tiling: str | None = None
    image: SourceImage | None = None
    strength: float | None = None
    mask: SourceImage | None = None
    upscale: float | None = None
    upscaler: str | None = None
    hires_factor: float | None = None
    hires_strength: float | None = None
    loras: tuple[LoraWeight, ...] = ()
    embeddings: tuple[str, ...] = ()
    vae: str | None = None
    controls: tuple[Control, ...] = ()
    image_prompts: tuple[ImagePrompt, ...] = ()
    quality: str | None = None
    background: str | None = None
    device: str | None = None
    use_cache: bool = True
    until: int | None = None
    branch: BranchPoint | None = None
    priority: int = 0
    version: int = VERSION

    @property
    def full_prompt(self) -> str:
        """What the text encoder reads for the first image: the artist's words inside the style's."""
        return apply_style(self.prompts[0] if self.prompts else self.prompt, self.style_prompt)

    @property
    def full_negative_prompt(self) -> str:
        words = self.negative_prompts[0] if self.negative_prompts else self.negative_prompt
        return ", ".join(part for part in (words.strip(), self.style_negative.strip()) if part)

    @property
    def task(self) -> str:
        if self.upscale is not None:
            return "upscale"
        if self.mask is not None:
            return "inpaint"
        return "image" if self.image is not None else "text"

    def seed_of(self, index: int) -> int:
        """The seed of image `index`; counts on from the first and wraps at 2⁶⁴, but variations share one."""
        if self.seed is None:
            raise BadInput("seed", None, "a completed request has one")
        return self.seed if self.variation_strength else _counted_on(self.seed, index)

    def only(self, index: int) -> GenerationRequest:
        """The request that makes just image `index` of this batch: what its PNG carries."""
        return replace(
            self,
            seed=None if self.seed is None else self.seed_of(index),
            variation_seed=None if self.variation_seed is None else _counted_on(self.variation_seed, index),
            prompts=self.prompts[index : index + 1],
            negative_prompts=self.negative_prompts[index : index + 1],
            count=1,
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {name: [asdict(each) for each in getattr(self, name)] for name in ADDITIONS}

    @staticmethod
    def from_dict(data: Mapping[str, Any], *, check: bool = True) -> GenerationRequest:
        """Reads what `to_dict` wrote, this version or an older one; unknown keys are BadInput, and impossible values
        where it is not known (`check`) that they were checked before they were written."""
        return _request_from(data, check)


def _counted_on(seed: int, index: int) -> int:
    return (seed + index) % (MAX_SEED + 1)


def apply_style(prompt: str, template: str) -> str:
    """`template` with `{prompt}` replaced; a template without it is appended after a comma."""
    if not template:
        return prompt
    if "{prompt}" in template:
        return template.replace("{prompt}", prompt)
    return f"{prompt}, {template}" if prompt else template


def _request_from(data: Mapping[str, Any], check: bool) -> GenerationRequest:
    known = {field.name for field in fields(GenerationRequest)}
    values = dict(data)
    version = values.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise BadInput("request version", version, f"this program reads up to {VERSION}")
    for key in values:
        if key not in known:
            raise BadInput("request", key, "no such setting")
    for key in ("image", "mask"):
        if isinstance(values.get(key), Mapping):
            values[key] = SourceImage(**values[key])
    if isinstance(values.get("branch"), Mapping):
        point = values["branch"]
        values["branch"] = BranchPoint(
            step=point["step"], image=point["image"], request=_request_from(point["request"], check)
        )
    request = GenerationRequest(**values | additions_from(values))
    return validate(request) if check else request


#: The fields of a request that hold a list of values of their own.
ADDITIONS: Mapping[str, type[LoraWeight] | type[Control] | type[ImagePrompt]] = {
    "loras": LoraWeight,
    "controls": Control,
    "image_prompts": ImagePrompt,
}


def additions_from(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a request that was written as JSON holds beside plain values; raises TypeError for what it cannot hold."""
    texts = ("prompts", "negative_prompts", "embeddings")
    found: dict[str, Any] = {name: tuple(values.get(name) or ()) for name in texts}
    for name, kind in ADDITIONS.items():
        written = [vars(each) if isinstance(each, kind) else dict(each) for each in values.get(name) or ()]
        for each in written:
            if isinstance(each.get("image"), Mapping):
                each["image"] = SourceImage(**each["image"])
        found[name] = tuple(kind(**each) for each in written)
    return found


def validate(request: GenerationRequest) -> GenerationRequest:
    """The request itself when every given value is possible; raises BadInput naming the first that is not."""
    from .enlarging import check_enlarging

    check_text("prompt", request.prompt)
    check_text("negative prompt", request.negative_prompt)
    for text in (*request.prompts, *request.negative_prompts):
        check_text("prompt", text)
    check_enlarging(request)
    if request.upscale is None and (request.width is not None or request.height is not None):
        check_size(request.width, request.height)
    if request.steps is not None:
        check_whole("steps", request.steps, 1, MAX_STEPS)
    if request.guidance is not None:
        check_number("guidance", request.guidance, 0.0, MAX_GUIDANCE)
    if request.seed is not None:
        check_whole("seed", request.seed, 0, MAX_SEED)
    if request.until is not None:
        check_whole("until", request.until, 1, MAX_STEPS)
    check_whole("count", request.count, 1, MAX_COUNT)
    _check_noise(request)
    _check_picture(request)
    if request.branch is not None:
        _check_branch(request, request.branch)
    _check_additions(request)
    return request


def _check_noise(request: GenerationRequest) -> None:
    if request.clip_skip is not None:
        check_whole("clip skip", request.clip_skip, 1, MAX_CLIP_SKIP)
    if request.tiling is not None and request.tiling not in TILINGS:
        raise BadInput("tiling", request.tiling, "one of " + ", ".join(TILINGS))
    if request.variation_strength is not None:
        check_number("variation strength", request.variation_strength, 0.0, 1.0)
    if request.variation_seed is not None:
        check_whole("variation seed", request.variation_seed, 0, MAX_SEED)
        if request.variation_strength is None:
            raise BadInput("variation seed", request.variation_seed, "only together with a variation strength")


def _check_additions(request: GenerationRequest) -> None:
    for lora in request.loras:
        for weight in (lora.weight, 0.0 if lora.text_weight is None else lora.text_weight):
            check_number(f"weight of LoRA {lora.name}", weight, -10.0, 10.0)
    for control in request.controls:
        _check_guide(f"ControlNet {control.model}", control)
        if control.preparation not in PREPARATIONS:
            raise BadInput("preparation", control.preparation, "one of " + ", ".join(PREPARATIONS))
    for prompt in request.image_prompts:
        _check_guide(f"IP-Adapter {prompt.model}", prompt)


def _check_guide(name: str, guide: Guide) -> None:
    check_number(f"weight of {name}", guide.weight, 0.0, 2.0)
    check_number(f"start of {name}", guide.start, 0.0, 1.0)
    check_number(f"end of {name}", guide.end, guide.start, 1.0)


#: What a branch may change; everything else decides the state it starts from.
BRANCH_CHANGES = frozenset(
    {
        "prompt",
        "negative_prompt",
        "prompts",
        "negative_prompts",
        "style",
        "style_prompt",
        "style_negative",
        "guidance",
        "loras",
        "embeddings",
        "clip_skip",
    }
)
_NOT_COMPARED = frozenset({"vae", "priority", "use_cache", "until", "branch", "count", "device", "version"})

#: Of a branch: after the last step, however many a scheduler makes of those that were asked for.
LAST_STEP = 1_000_000


def _check_branch(request: GenerationRequest, branch: BranchPoint) -> None:
    free = _NOT_COMPARED
    if branch.step != LAST_STEP:
        check_whole("branch step", branch.step, 1, MAX_STEPS)
        free |= BRANCH_CHANGES
    for field in fields(GenerationRequest):
        ours, theirs = getattr(request, field.name), getattr(branch.request, field.name)
        if field.name not in free and ours is not None and ours != theirs:
            raise BadInput(field.name, ours, f"{theirs!r}, as in the image it branches from")


def check_size(width: int | None, height: int | None, multiple: int = 8) -> None:
    for name, side in (("width", width), ("height", height)):
        if side is None:
            continue
        check_whole(name, side, multiple, MAX_SIDE)
        if side % multiple:
            raise BadInput(name, side, f"a multiple of {multiple} from {multiple} to {MAX_SIDE}")
    if width and height and width * height > MAX_PIXELS:
        raise BadInput("size", f"{width}×{height}", f"at most {MAX_PIXELS:,} pixels in all")


def _check_picture(request: GenerationRequest) -> None:
    if request.strength is not None:
        if request.image is None:
            raise BadInput("strength", request.strength, "only together with an image")
        check_number("strength", request.strength, 0.0, 1.0)
    if request.mask is not None and request.image is None:
        raise BadInput("mask", request.mask.name or "a mask", "only together with an image")
    check_words(request)


def check_words(request: GenerationRequest) -> None:
    """Raises BadInput for words that cannot be, or that are missing."""
    check_text("prompt", request.prompt)
    check_text("negative prompt", request.negative_prompt)
    if request.image is None and not request.prompt.strip():
        raise BadInput("prompt", request.prompt, "some words, or an image to start from")
