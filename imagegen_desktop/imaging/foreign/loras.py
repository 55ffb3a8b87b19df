"""LoRAs that stand inside a prompt, as `<lora:name:weight>`."""

from __future__ import annotations

from ...domain.prompt_meaning import lora_tags
from ..findings import Findings


def put_prompt(findings: Findings, field: str, text: object) -> None:
    """Notes a prompt without its LoRA tags, and the LoRAs."""
    if not isinstance(text, str):
        return
    bare, loras = lora_tags(text)
    for lora in loras:
        findings.put_lora(lora.name, lora.weight)
    findings.put(field, bare)
