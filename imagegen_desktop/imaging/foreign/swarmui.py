"""SwarmUI: JSON with `sui_image_params`."""

from __future__ import annotations

import re
from typing import Any

from ..findings import Findings, FoundSettings
from .bounded_json import parsed_object
from .loras import put_prompt
from .samplers import put_sampler

_USED = {
    "prompt", "negativeprompt", "model", "seed", "steps", "cfgscale", "width", "height", "sampler", "scheduler",
    "loras", "loraweights", "initimagecreativity", "swarm_version", "aspectratio", "images", "clipstopatlayer",
}  # fmt: skip
_SECTION_ID = re.compile(r"//cid=\d+")


def read_swarmui(text: str) -> FoundSettings | None:
    """The value of `parameters` when SwarmUI wrote it."""
    whole = parsed_object(text)
    values = whole.get("sui_image_params") if whole else None
    if not isinstance(values, dict):
        return None
    findings = Findings("swarmui")
    for field, name in {"prompt": "prompt", "negative_prompt": "negativeprompt"}.items():
        value = values.get(name)
        put_prompt(findings, field, _SECTION_ID.sub("", value) if isinstance(value, str) else None)
    for field, name in {
        "steps": "steps", "guidance": "cfgscale", "seed": "seed", "model": "model", "strength": "initimagecreativity",
    }.items():  # fmt: skip
        findings.put(field, values.get(name), name)
    findings.put_size(values.get("width"), values.get("height"))
    put_sampler(findings, values.get("sampler"), values.get("scheduler"))
    weights = _listed(values.get("loraweights"))
    for number, name in enumerate(_listed(values.get("loras"))):
        findings.put_lora(name, weights[number] if number < len(weights) else 1.0)
    findings.ignore_rest(values, _USED)
    return findings.result() if findings else None


def _listed(value: object) -> list[Any]:
    """A list, or a text of parts between commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value[:100] if isinstance(value, list) else []
