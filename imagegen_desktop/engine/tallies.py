"""What the engine really ran since its start, counted where it happens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tallies:
    """`denoiser_calls` are forward passes of the denoiser, `text_encodings` those of text encoders."""

    denoiser_calls: int = 0
    text_encodings: int = 0
    decodings: int = 0
