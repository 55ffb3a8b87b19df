"""A measured value with its bound."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`value` in `unit` (a ratio without one) must not be above `bound`."""

    name: str
    value: float
    bound: float
    unit: str = ""
    detail: str = ""

    @property
    def holds(self) -> bool:
        return self.value <= self.bound

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"holds": self.holds}

    def __str__(self) -> str:
        mark = "✓" if self.holds else "✗"
        return f"{mark} {self.name:58} {self.value:8.3f} {self.unit:3} (≤ {self.bound:g})  {self.detail}"


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of ours / theirs, pair by pair."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def busy_warning() -> str:
    """Says when other work makes the figures doubtful."""
    load = os.getloadavg()[0]
    return f"load {load:.1f}" + ("; the machine is busy, read the figures with care" if load > 1.0 else "")
