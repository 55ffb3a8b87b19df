"""How a model will share a card's memory, chosen before the run: the first way that fits, the quickest first.

All ways but the last draw the same picture; eight bits round the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..domain.errors import BadInput

AUTO = "auto"
WHOLE, TEXT_APART, STREAMED, EIGHT_BIT = "whole", "text apart", "streamed", "8 bit"
CHOICES = (AUTO, WHOLE, TEXT_APART, STREAMED, EIGHT_BIT)

#: Kept free for the driver and what fragmentation wastes.
SPARE = 512 * 2**20


@dataclass(frozen=True, kw_only=True)
class Need:
    """Bytes on the card: weights of each part at their precision, the largest block of one, and beside all weights
    what one step (`stepping`) and the decoding of one picture (`decoding`) work with."""

    denoiser: int
    text: int
    vae: int
    block: int
    stepping: int
    decoding: int

    @property
    def weights(self) -> int:
        return self.denoiser + self.text + self.vae


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`peak` is what the card must have free, in bytes; `words` say the plan to an artist, empty when all fits."""

    way: str
    peak: int
    tiled: bool = False
    words: str = ""


#: Way → what stays on the card during the steps, during the decoding and while words are read, in bytes; its words.
_WAYS: dict[str, tuple[Callable[[Need], tuple[int, int, int]], str]] = {
    WHOLE: (lambda need: (need.weights, need.weights, need.weights), ""),
    TEXT_APART: (
        lambda need: (need.denoiser + need.vae, need.denoiser + need.vae, need.text),
        "text encoders leave the card once the words are read",
    ),
    STREAMED: (
        lambda need: (2 * need.block + need.vae,) * 3,
        "weights stream through the card block by block, which is slower",
    ),
    EIGHT_BIT: (
        lambda need: (need.denoiser // 2 + need.vae, need.denoiser // 2 + need.vae, need.text),
        "the denoiser's weights in 8 bits, so pictures differ a little; text encoders leave the card",
    ),
}
_TILED = "decoded in tiles"


def plan_for(need: Need, free: int, wanted: str = AUTO) -> Plan:
    """The first way whose peak is within `free` bytes, or the `wanted` one whatever it needs.

    When none fits it is the one that needs least: the decoding has a ladder of its own below it.
    Raises BadInput for an unknown wish.
    """
    if wanted not in CHOICES:
        raise BadInput("memory", wanted, f"one of {', '.join(CHOICES)}")
    plans = [_plan(need, way, free) for way in _WAYS] if wanted == AUTO else [_plan(need, wanted, free)]
    fitting = [plan for plan in plans if plan.peak + SPARE <= free]
    return fitting[0] if fitting else min(plans, key=lambda plan: plan.peak)


def _plan(need: Need, way: str, free: int) -> Plan:
    places, words = _WAYS[way]
    stepping, decoding, reading = places(need)
    drawn = max(stepping + need.stepping, reading)
    whole, tiled = decoding + need.decoding, decoding + need.decoding // 4
    tiles = max(drawn, whole) + SPARE > free and whole > max(drawn, tiled)
    said = ", ".join(part for part in (words, _TILED if tiles else "") if part)
    return Plan(way=way, peak=max(drawn, tiled if tiles else whole), tiled=tiles, words=said)
