"""Devices: how an artist names what pictures are drawn on, one engine for each."""

from __future__ import annotations

#: One device, as a regular expression.
ONE = r"cpu|cuda(:\d{1,2})?"

#: "auto", which is every GPU or else the processor, or a list.
PATTERN = rf"\s*(auto|({ONE})(\s*,\s*({ONE}))*)\s*"
ALLOWED = "auto, or a list of cpu, cuda:0, cuda:1 … with commas between"


def listed(text: str) -> tuple[str, ...]:
    """The devices of a text that fits PATTERN, each by its full name; ("auto",) stays as it is."""
    return tuple(full_name(device.strip()) for device in text.split(","))


def full_name(device: str) -> str:
    return "cuda:0" if device == "cuda" else device


def names_of(full: str) -> tuple[str, ...]:
    """All that a device with that full name is called."""
    return ("cuda", full) if full == "cuda:0" else (full,)
