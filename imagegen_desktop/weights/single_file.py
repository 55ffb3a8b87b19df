"""What is this single file? Told from the header alone; no tensor is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..domain.errors import ModelProblem
from ..domain.families import FAMILIES
from ..domain.model_card import MODEL, SAFETENSORS, ModelCard
from ..formats.safetensors import read_safetensors
from .denoisers import denoiser
from .extras import extra
from .layouts import Finding, Weights


def inspect_file(path: Path) -> ModelCard:
    """The card of a model file; raises ModelProblem saying in one line what it is and what is wrong with it."""
    header = read_safetensors(path)
    weights = Weights({name: entry.shape for name, entry in header.tensors.items()})
    found = extra(weights) if not weights.begins("model.diffusion_model.") else None
    found = found or denoiser(weights) or Finding(title="a file of weights of a kind this program does not know")
    return _card(path, header.size_bytes, found)


def _card(path: Path, size: int, found: Finding) -> ModelCard:
    if not found.kind or (found.kind == MODEL and found.family not in FAMILIES):
        title = found.title or f"a model of the family {found.family}"
        known = ", ".join(family.title for family in FAMILIES.values())
        raise ModelProblem(f"{path.name} is {title}; it cannot be used here.", f"Known are {known}.")
    return ModelCard(
        name=path.stem,
        path=str(path.resolve()),
        family=found.family,
        size_bytes=size,
        kind=found.kind,
        format=SAFETENSORS,
        variants=found.variants,
        title=path.stem,
        rank=found.rank,
        triggers=found.triggers,
        **_numbers(found),
    )


def _numbers(found: Finding) -> dict[str, Any]:
    if found.kind != MODEL:
        return {}
    family = FAMILIES[found.family]
    return {"width": family.width, "height": family.height, "steps": family.steps, "guidance": family.guidance}
