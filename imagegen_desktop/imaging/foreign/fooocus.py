"""Fooocus and its forks: JSON with Python literals inside its strings. Fooocus evaluates those; we only parse them."""

from __future__ import annotations

import ast
from typing import Any

from ..findings import Findings, FoundSettings
from .a1111 import put_settings, split_text
from .bounded_json import parsed_object
from .loras import put_prompt
from .samplers import put_sampler

_NAMES: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt",),
    "negative_prompt": ("negative_prompt", "negative"),
    "steps": ("steps",),
    "guidance": ("guidance_scale", "cfg"),
    "seed": ("seed",),
    "model": ("base_model", "base_model_name"),
    "model_hash": ("base_model_hash",),
    "strength": ("denoise",),
    "clip_skip": ("clip_skip",),
}
_USED = {
    *(name for names in _NAMES.values() for name in names), "resolution", "width", "height", "sampler", "sampler_name",
    "scheduler", "loras", "version", "metadata_scheme", "created_by", "full_prompt", "full_negative_prompt",
}  # fmt: skip


def read_fooocus(text: str) -> FoundSettings | None:
    """The `parameters` of the schemes `fooocus` (JSON) and `a1111` (text)."""
    values = parsed_object(text)
    if values is None:
        return _read_text(text)
    lower = {str(name).lower().replace(" ", "_"): value for name, value in values.items()}
    if not {"base_model", "base_model_name", "performance", "sharpness", "resolution"} & lower.keys():
        return None
    findings = Findings("fooocus")
    for field, names in _NAMES.items():
        for name in names:
            if field in ("prompt", "negative_prompt"):
                put_prompt(findings, field, lower.get(name))
            else:
                findings.put(field, lower.get(name), name)
    findings.put_size(*_pair(lower))
    put_sampler(findings, lower.get("sampler") or lower.get("sampler_name"), lower.get("scheduler"))
    _put_loras(findings, lower)
    rest = (
        name for name, value in lower.items() if value not in (None, "", []) and not name.startswith("lora_combined")
    )
    findings.ignore_rest(rest, _USED)
    return findings.result() if findings else None


def literal(text: object, kind: type) -> Any:
    """A Python literal of that type inside a string; None for anything else. Nothing is evaluated."""
    if isinstance(text, kind):
        return text
    if not isinstance(text, str) or len(text) > 10_000:
        return None
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, kind) else None


def _read_text(text: str) -> FoundSettings | None:
    prompt, negative, settings = split_text(text)
    if settings is None:
        return None
    findings = Findings("fooocus")
    put_prompt(findings, "prompt", settings.pop("Raw prompt", "") or prompt)
    put_prompt(findings, "negative_prompt", settings.pop("Raw negative prompt", "") or negative)
    scheduler = settings.pop("Scheduler", "")
    put_sampler(findings, settings.pop("Sampler", ""), scheduler)
    put_settings(findings, settings)
    return findings.result()


def _pair(values: dict[str, Any]) -> tuple[object, object]:
    resolution = values.get("resolution")
    pair = literal(resolution, tuple) or literal(resolution, list)
    if pair and len(pair) == 2:
        return pair[0], pair[1]
    return values.get("width"), values.get("height")


def _put_loras(findings: Findings, values: dict[str, Any]) -> None:
    for lora in (literal(values.get("loras"), list) or [])[:100]:
        if isinstance(lora, list | tuple) and len(lora) >= 2:
            findings.put_lora(lora[0], lora[1])
    for name, value in values.items():
        if name.startswith("lora_combined") and isinstance(value, str):
            parts = [part.strip() for part in value.split(" : ")]
            if len(parts) == 3 and parts[0] == "False":
                continue
            if len(parts) >= 2 and parts[-2] != "None":
                findings.put_lora(parts[-2], parts[-1])
