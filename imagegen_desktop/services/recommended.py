"""Recommended models: a short list whose licences allow use, and which of them suits this machine."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_GB = 10**9


@dataclass(frozen=True, kw_only=True)
class RecommendedModel:
    """`id` is the hub's. Sizes in bytes: about what comes down, and what drawing needs. `processor`: bearable without
    a graphics card."""

    id: str
    title: str
    family: str
    size_bytes: int
    memory_bytes: int
    licence: str
    gated: bool
    processor: bool
    about: str


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Memory in bytes of what draws: the card's, else the computer's; 0 when unknown."""

    memory_bytes: int
    has_gpu: bool

    def suits(self, model: RecommendedModel) -> bool:
        if not self.has_gpu:
            return model.processor and self.memory_bytes >= 2 * model.memory_bytes  # full precision there
        return self.memory_bytes >= model.memory_bytes


def read_recommended(file: Path) -> list[RecommendedModel]:
    """The list we ship, from light to heavy."""
    found = tomllib.loads(file.read_text(encoding="utf-8"))
    return [
        RecommendedModel(
            id=name,
            title=row["title"],
            family=row["family"],
            size_bytes=int(row["download"] * _GB),
            memory_bytes=int(row["memory"] * _GB),
            licence=row["licence"],
            gated=row["gated"],
            processor=row["processor"],
            about=row["about"],
        )
        for name, row in found.items()
    ]


def best_of(models: Sequence[RecommendedModel], machine: Machine) -> RecommendedModel | None:
    """The heaviest that suits the machine; None when none does."""
    return next((model for model in reversed(models) if machine.suits(model)), None)
