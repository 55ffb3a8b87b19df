"""The text of AUTOMATIC1111's web UI, which Forge, SD.Next, Krita, Civitai and many others write too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ..findings import Findings, FoundSettings
from .bounded_json import MOST_CHARACTERS
from .loras import put_prompt
from .samplers import put_sampler

LEAST_SETTINGS = 3

_NEGATIVE = "Negative prompt:"
_NAME = re.compile(r"(\w[\w \-/]{1,60}):\s*")  # bounded: a stranger's line of one long word must not take hours
_QUOTED = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*(,|$)?')
_SIZE = re.compile(r"(\d{1,6})\s*[x×]\s*(\d{1,6})")
_USED = {
    "Steps", "Sampler", "Schedule type", "CFG scale", "Distilled CFG Scale", "Seed", "Size", "Model", "Model hash",
    "Denoising strength", "Clip skip", "Tiling", "Variation seed", "Variation seed strength", "Version",
    "VAE", "VAE hash", "Lora hashes", "TI hashes",
}  # fmt: skip


def read_a1111(text: str, source: str = "a1111") -> FoundSettings | None:
    """The settings of a `parameters` text; None when it has no line of settings."""
    prompt, negative, settings = split_text(text)
    if settings is None:
        return None
    findings = Findings(source)
    put_prompt(findings, "prompt", prompt)
    put_prompt(findings, "negative_prompt", negative)
    put_settings(findings, settings)
    return findings.result() if findings else None


def split_text(text: str) -> tuple[str, str, dict[str, str] | None]:
    """The prompt, the negative prompt and the settings by their names; None for no settings."""
    lines = text[:MOST_CHARACTERS].strip().split("\n")
    settings = dict(settings_of(lines[-1]))
    if len(settings) < LEAST_SETTINGS:
        return text, "", None
    prompt: list[str] = []
    negative: list[str] = []
    lines_of = prompt
    for line in lines[:-1]:
        if lines_of is prompt and line.strip().startswith(_NEGATIVE):
            lines_of = negative
            lines_of.append(line.strip().removeprefix(_NEGATIVE))
        else:
            lines_of.append(line.rstrip("\r"))
    return "\n".join(prompt).strip(), "\n".join(negative).strip(), settings


def settings_of(line: str) -> Iterator[tuple[str, str]]:
    """The names and values of a settings line; quoted values are opened."""
    line, position, may_be_quoted = line[:MOST_CHARACTERS], 0, True
    while name := _NAME.search(line, position):
        start = name.end()
        quoted = _QUOTED.match(line, start) if may_be_quoted and line.startswith('"', start) else None
        if quoted and quoted[2] is not None:
            yield name[1], _opened(quoted[1])
            position = quoted.end()
            continue
        if quoted is None and line.startswith('"', start):
            may_be_quoted = False  # no quote is closed from here on: looking again would take as long each time
        comma = line.find(",", start)
        position = comma + 1 if comma >= 0 else len(line)
        yield name[1], line[start : comma if comma >= 0 else len(line)].strip()


def put_settings(findings: Findings, settings: dict[str, str]) -> None:
    """Notes what a settings line says."""
    findings.put("steps", settings.get("Steps"), "Steps")
    put_sampler(findings, settings.get("Sampler"), settings.get("Schedule type"))
    _put_guidance(findings, settings)
    findings.put("seed", settings.get("Seed"), "Seed")
    size = _SIZE.fullmatch(settings.get("Size", ""))
    if size:
        findings.put_size(size[1], size[2])
    findings.put("model", settings.get("Model"), "Model")
    findings.put("model_hash", settings.get("Model hash"), "Model hash")
    findings.put("strength", settings.get("Denoising strength"), "Denoising strength")
    findings.put("clip_skip", settings.get("Clip skip"), "Clip skip")
    findings.put("tiling", {"True": "both"}.get(tiling := settings.get("Tiling", ""), tiling), "Tiling")
    if settings.get("Variation seed strength"):
        findings.put("variation_strength", settings["Variation seed strength"], "Variation seed strength")
        findings.put("variation_seed", settings.get("Variation seed"), "Variation seed")
    findings.put("vae", settings.get("VAE"), "VAE")
    findings.ignore_rest(settings, _USED)


def _put_guidance(findings: Findings, settings: dict[str, str]) -> None:
    """Forge writes FLUX's guidance apart and a scale of 1 beside it."""
    distilled = settings.get("Distilled CFG Scale")
    if distilled and settings.get("CFG scale") in ("1", "1.0", None):
        findings.put("guidance", distilled, "Distilled CFG Scale")
        findings.approximate("guidance", f"Distilled CFG Scale {distilled}", distilled)
        return
    if distilled:
        findings.ignore("Distilled CFG Scale")
    findings.put("guidance", settings.get("CFG scale"), "CFG scale")


def _opened(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted
