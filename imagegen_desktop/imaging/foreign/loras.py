"""LoRAs that stand inside a prompt, as `<lora:name:weight>`."""

from __future__ import annotations

import re

from ..findings import Findings

_TAG = re.compile(r"<(?:lora|lyco):([^:<>]{1,200})(?::([^:<>]{0,20}))?(?::[^<>]{0,100})?>", re.IGNORECASE)


def put_prompt(findings: Findings, field: str, text: object) -> None:
    """Notes a prompt without its LoRA tags, and the LoRAs."""
    if not isinstance(text, str):
        return
    for name, weight in _TAG.findall(text):
        findings.put_lora(name, weight or 1.0)
    bare = _TAG.sub("", text)
    findings.put(field, bare if bare == text else re.sub(r"[ \t]{2,}", " ", bare).strip(" ,"))
