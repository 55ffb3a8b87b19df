"""A picture's own history as it travels inside the file: the whole recipe, and nothing that is not on this list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..domain.errors import BadInput
from ..domain.families import MODEL_DEFAULT_SAMPLER
from ..domain.request import GenerationRequest, Guide, LoraWeight

KEY = "imagegen-desktop"
VERSION = 1
SHORT_HASH = 10
SCHEDULES = ("Karras",)

#: What IPTC calls a picture made by a trained model; for the XMP packet.
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)

_TEXTS = ("image", "job", "model_hash", "app_version", "created")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """`request` makes exactly this picture (count 1, its own seed); IDs, hash and parents as in `GeneratedImage`.

    `notes` are for people (what a provider made of the prompt), `environment` names versions and device, `hashes` tell
    what was added to the model ("lora:name") as other programs know it.
    """

    request: GenerationRequest
    image: str = ""
    job: str = ""
    index: int = 0
    model_hash: str = ""
    app_version: str = ""
    created: str = ""
    resumed_at: int | None = None
    parents: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The versioned JSON that lies in the file, in ASCII."""
        values = {"version": VERSION, "request": self.request.to_dict(), "index": self.index}
        values |= {name: getattr(self, name) for name in _TEXTS}
        values |= {"resumed_at": self.resumed_at, "parents": self.parents, "notes": self.notes}
        return json.dumps(values | {"environment": dict(self.environment), "hashes": dict(self.hashes)})

    @staticmethod
    def from_json(text: str) -> Recipe:
        """The inverse; raises BadInput for anything `to_json` would not write."""
        try:
            return _recipe_from(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadInput("recipe", text, "what this program writes into its images") from error


def _recipe_from(values: dict[str, Any]) -> Recipe:
    version, index, resumed_at = values["version"], values.get("index", 0), values.get("resumed_at")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise ValueError("a newer version")
    if not isinstance(index, int) or not isinstance(resumed_at, int | None):
        raise TypeError("no number")
    return Recipe(
        request=GenerationRequest.from_dict(values["request"]),
        index=index,
        resumed_at=resumed_at,
        parents=tuple(_text(each) for each in values.get("parents", ())),
        notes=tuple(_text(each) for each in values.get("notes", ())),
        environment={_text(name): _text(value) for name, value in values.get("environment", {}).items()},
        hashes={_text(name): _text(value) for name, value in values.get("hashes", {}).items()},
        **{name: _text(values.get(name, "")) for name in _TEXTS},
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def parameters_text(recipe: Recipe) -> str:
    """The recipe as the line of text most other programs read."""
    request = recipe.request
    lines = [" ".join((request.full_prompt, *map(_tag, request.loras))).strip()]
    if negative := request.full_negative_prompt:
        lines.append(f"Negative prompt: {negative}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in _settings(recipe) if value not in (None, "")))
    return "\n".join(lines).encode("utf-8", "replace").decode()


def _settings(recipe: Recipe) -> list[tuple[str, object]]:
    request = recipe.request
    sampler, schedule = split_sampler(request.sampler or "")
    return [
        ("Steps", request.steps),
        ("Sampler", sampler),
        ("Schedule type", schedule),
        ("CFG scale", None if request.guidance is None else f"{request.guidance:g}"),
        ("Seed", request.seed),
        ("Size", f"{request.width}x{request.height}" if request.width and request.height else None),
        ("Model hash", recipe.model_hash[:SHORT_HASH]),
        ("Model", request.model),
        ("Hires upscale", None if request.hires_factor is None else f"{request.hires_factor:g}"),
        ("Hires strength", None if request.hires_strength is None else f"{request.hires_strength:g}"),
        ("Hires upscaler", request.upscaler if request.hires_factor is not None else None),
        ("Postprocess upscale by", None if request.upscale is None else f"{request.upscale:g}"),
        ("Postprocess upscaler", request.upscaler if request.upscale is not None else None),
        ("Denoising strength", None if request.strength is None else f"{request.strength:g}"),
        ("Clip skip", request.clip_skip),
        ("Tiling", request.tiling),
        ("Variation seed", request.variation_seed),
        ("Variation seed strength", None if request.variation_strength is None else f"{request.variation_strength:g}"),
        ("Template", request.prompt if request.prompts else None),
        ("Negative Template", request.negative_prompt if request.negative_prompts else None),
        *_added(recipe),
        ("Version", f"imagegen-desktop {recipe.app_version}".strip()),
    ]


def _tag(lora: LoraWeight) -> str:
    """As AUTOMATIC1111 has it: the text encoders' weight first where there are two."""
    weights = (lora.weight,) if lora.text_weight is None else (lora.text_weight, lora.weight)
    return f"<lora:{lora.name}:{':'.join(f'{weight:g}' for weight in weights)}>"


def _added(recipe: Recipe) -> list[tuple[str, object]]:
    """What was added to the model, by the names others use."""
    request, hashes = recipe.request, recipe.hashes
    added: list[tuple[str, object]] = [("VAE hash", hashes.get(f"vae:{request.vae}")), ("VAE", request.vae)]
    for kind, title in (("lora", "Lora hashes"), ("embedding", "TI hashes")):
        known = {name.partition(":")[2]: value for name, value in hashes.items() if name.startswith(f"{kind}:")}
        added.append((title, ", ".join(f"{name}: {value}" for name, value in known.items())))
    # Others have one list of both.
    shown: list[tuple[Guide, str]] = [(each, each.preparation) for each in request.controls]
    shown += [(each, "ip-adapter-auto") for each in request.image_prompts]
    for number, (each, module) in enumerate(shown):
        said = f"Module: {module}, Model: {each.model}, Weight: {each.weight:g}, "
        said += f"Guidance Start: {each.start:g}, Guidance End: {each.end:g}"
        added.append((f"ControlNet {number}", said))
    return added


def split_sampler(name: str) -> tuple[str, str]:
    """A sampler's name and its schedule: `DPM++ 2M Karras` is `DPM++ 2M` and `Karras`; none for the model's own."""
    if name == MODEL_DEFAULT_SAMPLER:
        return "", ""
    for schedule in SCHEDULES:
        if name.endswith(f" {schedule}"):
            return name.removesuffix(f" {schedule}"), schedule
    return name, ""


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(c in text for c in ',:\n"') else text
