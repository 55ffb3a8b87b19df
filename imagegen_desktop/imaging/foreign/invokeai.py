"""InvokeAI: the JSON of versions 3 and up, the JSON of version 2, and the command line before that."""

from __future__ import annotations

import re
from typing import Any

from ..findings import Findings, FoundSettings
from .bounded_json import parsed_object
from .samplers import put_sampler

_USED = {
    "positive_prompt", "negative_prompt", "width", "height", "seed", "cfg_scale", "guidance", "steps", "scheduler",
    "model", "loras", "strength", "clip_skip", "app_version", "generation_mode", "rand_device",
}  # fmt: skip
_USED_2 = {"prompt", "steps", "cfg_scale", "width", "height", "seed", "sampler", "strength", "type"}
_SWITCH = re.compile(r"(?<!\S)-{1,2}([A-Za-z_]+)[\s=]+(\S+)")
_SWITCHES = {
    "s": "steps", "steps": "steps", "S": "seed", "seed": "seed", "C": "guidance", "cfg_scale": "guidance",
    "f": "strength", "strength": "strength",
}  # fmt: skip
_NEGATIVE = re.compile(r"\[([^\[\]]*)\]")


def read_invokeai(text: str) -> FoundSettings | None:
    """The value of `invokeai_metadata`."""
    values = parsed_object(text)
    if values is None:
        return None
    findings = Findings("invokeai")
    for field, name in {
        "prompt": "positive_prompt", "negative_prompt": "negative_prompt", "seed": "seed", "steps": "steps",
        "strength": "strength", "clip_skip": "clip_skip", "guidance": "cfg_scale",
    }.items():  # fmt: skip
        if name != "clip_skip" or values.get(name):
            findings.put(field, values.get(name), name)
    findings.put("guidance", values.get("guidance"), "guidance")
    findings.put_size(values.get("width"), values.get("height"))
    put_sampler(findings, values.get("scheduler"))
    model = values.get("model")
    findings.put("model", _name_of(model), "model")
    findings.put("model_hash", model.get("hash") if isinstance(model, dict) else None)
    for lora in _list(values.get("loras")):
        if isinstance(lora, dict):
            findings.put_lora(_name_of(lora.get("model") or lora.get("lora")), lora.get("weight"))
    findings.ignore_rest((name for name, value in values.items() if value not in (None, [], {}, "")), _USED)
    return findings.result() if findings else None


def read_invokeai_2(text: str) -> FoundSettings | None:
    """The value of `sd-metadata`."""
    values = parsed_object(text)
    image = values.get("image") if values else None
    if values is None or not isinstance(image, dict):
        return None
    findings = Findings("invokeai")
    prompt = image.get("prompt")
    if isinstance(prompt, list):
        parts = [part.get("prompt") for part in prompt if isinstance(part, dict)]
        prompt = " ".join(part for part in parts if isinstance(part, str))
    _put_bracketed(findings, prompt)
    for field, name in {"seed": "seed", "steps": "steps", "guidance": "cfg_scale", "strength": "strength"}.items():
        findings.put(field, image.get(name), name)
    findings.put_size(image.get("width"), image.get("height"))
    put_sampler(findings, image.get("sampler"))
    findings.put("model", values.get("model_weights") or values.get("model"), "model")
    findings.ignore_rest((name for name, value in image.items() if value not in (None, [], {}, "", 0, False)), _USED_2)
    return findings.result() if findings else None


def read_dream(text: str) -> FoundSettings | None:
    """The value of `Dream`: a prompt in quotes and the switches of the old command line."""
    line = text.strip()[:100_000]
    if line.startswith('"'):
        prompt, _, switches = line[1:].rpartition('"')
    else:
        prompt, _, switches = line.partition(" -")
        switches = f"-{switches}"
    found = dict(_SWITCH.findall(switches))
    if not found:
        return None
    findings = Findings("invokeai")
    _put_bracketed(findings, prompt)
    for switch, value in found.items():
        if switch in _SWITCHES:
            findings.put(_SWITCHES[switch], value, switch)
    findings.put_size(found.get("W") or found.get("width"), found.get("H") or found.get("height"))
    put_sampler(findings, found.get("A") or found.get("sampler"))
    findings.ignore_rest(found, {*_SWITCHES, "W", "H", "A", "width", "height", "sampler"})
    return findings.result()


def _put_bracketed(findings: Findings, prompt: object) -> None:
    """What stands in square brackets was the negative prompt."""
    if isinstance(prompt, str):
        findings.put("negative_prompt", ", ".join(_NEGATIVE.findall(prompt)))
        findings.put("prompt", " ".join(_NEGATIVE.sub(" ", prompt).split()) if "[" in prompt else prompt)


def _name_of(model: object) -> object:
    if isinstance(model, dict):
        return model.get("name") or model.get("model_name")
    return model


def _list(value: object) -> list[Any]:
    return value[:100] if isinstance(value, list) else []
