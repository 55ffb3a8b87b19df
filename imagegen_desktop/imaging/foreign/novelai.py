"""NovelAI: the prompt as `Description`, the rest as JSON in `Comment`."""

from __future__ import annotations

from ..findings import Findings, FoundSettings
from .bounded_json import parsed_object
from .samplers import put_sampler

_USED = {
    "prompt", "uc", "steps", "scale", "seed", "strength", "sampler", "noise_schedule", "width", "height", "version",
    "request_type", "signed_hash",
}  # fmt: skip


def read_novelai(texts: dict[str, str]) -> FoundSettings | None:
    """The texts of a picture whose `Software` is NovelAI."""
    values = parsed_object(texts.get("Comment", ""))
    if values is None:
        return None
    findings = Findings("novelai")
    findings.put("prompt", values.get("prompt") or texts.get("Description"), "prompt")
    for field, name in {"negative_prompt": "uc", "steps": "steps", "guidance": "scale", "seed": "seed"}.items():
        findings.put(field, values.get(name), name)
    if values.get("request_type") != "PromptGenerateRequest":
        findings.put("strength", values.get("strength"), "strength")
    findings.put_size(values.get("width"), values.get("height"))
    put_sampler(findings, values.get("sampler"), values.get("noise_schedule"))
    findings.put("model", texts.get("Source"), "Source")
    findings.ignore_rest((name for name, value in values.items() if value not in (None, [], {}, False, "", 0)), _USED)
    return findings.result() if findings else None
