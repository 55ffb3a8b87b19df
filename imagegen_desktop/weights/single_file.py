"""What is this single file? Told from the header alone; no tensor is loaded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..domain.errors import ModelProblem
from ..domain.families import FAMILIES
from ..domain.model_card import EMBEDDING, LORA, MODEL, ModelCard
from ..formats import kinds
from ..formats.gguf import read_gguf
from ..formats.safetensors import Header, read_safetensors
from . import told
from .denoisers import denoiser
from .extras import extra
from .layouts import Finding, Weights
from .numbers import native_side, steps_and_guidance, variants_told, with_prediction
from .text_encoders import text_encoder
from .told import shown

MOST_TRIGGERS = 8

#: What a trainer wrote about the base model (ss_base_model_version, modelspec.architecture) → the family.
_FAMILY_OF_BASE = (
    ("flux-2", "flux2"), ("flux2", "flux2"), ("flux", "flux"), ("stable-diffusion-xl", "sdxl"), ("sdxl", "sdxl"),
    ("stable-diffusion-3", "sd3"), ("sd3", "sd3"), ("stable-diffusion-v2", "sd2"), ("sd_v2", "sd2"),
    ("stable-diffusion-v1", "sd1"), ("sd_v1", "sd1"), ("qwen", "qwen"), ("z-image", "zimage"), ("zimage", "zimage"),
)  # fmt: skip


def inspect_file(path: Path) -> ModelCard:
    """The card of a model file; raises ModelProblem saying in one line what it is and what is wrong with it."""
    kind = kinds.kind_of(path)
    kinds.refuse_pickle(path, kind)
    header = read_safetensors(path) if kind == kinds.SAFETENSORS else read_gguf(path)
    weights = Weights({name: entry.shape for name, entry in header.tensors.items()})
    return _card(path, kind, header, _refined(_finding(weights), path, header.metadata))


def _finding(weights: Weights) -> Finding:
    found = None if weights.begins("model.diffusion_model.") else extra(weights)
    return (
        found
        or denoiser(weights)
        or text_encoder(weights)
        or Finding(title="a file of weights of a kind this program does not know")
    )


def _refined(found: Finding, path: Path, metadata: Mapping[str, str]) -> Finding:
    """The finding with what only words tell: names and metadata, written by anybody, decide no more than this."""
    words = _words(path, metadata)
    family, variants, triggers = found.family, found.variants, found.triggers
    if found.kind == MODEL:
        family = "flux-kontext" if family == "flux" and "kontext" in words.casefold() else family
        variants = variants_told(words, family, variants)
        variants = with_prediction(variants, family, words, metadata.get("modelspec.prediction_type", ""))
    elif found.kind == LORA:
        family, triggers = family or _family_said(metadata), _triggers(metadata)
    elif found.kind == EMBEDDING:
        triggers = triggers if triggers and triggers[0].startswith("<") else (path.stem,)
    return Finding(
        kind=found.kind,
        family=family,
        title=found.title,
        variants=variants,
        lacks=found.lacks,
        rank=found.rank,
        triggers=triggers,
        features=found.features,
    )


def _card(path: Path, kind: str, header: Header, found: Finding) -> ModelCard:
    if not found.kind or (found.kind == MODEL and found.family not in FAMILIES):
        title = found.title or f"a model of the family {found.family}"
        known = ", ".join(family.title for family in FAMILIES.values())
        raise ModelProblem(f"{path.name} is {title}; it cannot be used by itself here.", f"Known are {known}.")
    return ModelCard(
        name=path.stem,
        path=str(path.resolve()),
        family=found.family,
        size_bytes=header.size_bytes,
        kind=found.kind,
        format=kind,
        variants=found.variants,
        lacks=found.lacks,
        title=told.title(header.metadata) or path.stem,
        summary=FAMILIES[found.family].title if found.family in FAMILIES else "",
        licence=told.licence(header.metadata),
        about=told.about(header.metadata),
        rank=found.rank,
        triggers=found.triggers,
        features=found.features,
        **_numbers(path, header.metadata, found),
    )


def _numbers(path: Path, metadata: Mapping[str, str], found: Finding) -> dict[str, Any]:
    if found.kind != MODEL:
        return {}
    family, words = FAMILIES[found.family], _words(path, metadata)
    side = native_side(family, found.variants, words, metadata)
    steps, guidance = steps_and_guidance(family, found.variants, words)
    return {"width": side or family.width, "height": side or family.height, "steps": steps, "guidance": guidance}


def _words(path: Path, metadata: Mapping[str, str]) -> str:
    said = (metadata.get(key, "") for key in ("modelspec.title", "modelspec.architecture", "general.name"))
    return " ".join([path.stem, *(shown(text) for text in said)])


def _family_said(metadata: Mapping[str, str]) -> str:
    said = f"{metadata.get('ss_base_model_version', '')} {metadata.get('modelspec.architecture', '')}".casefold()
    return next((family for mark, family in _FAMILY_OF_BASE if mark in said), "")


def _triggers(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The words a LoRA answers to: those its trainer named, else the most frequent of its training pictures."""
    named = metadata.get("modelspec.trigger_phrase", "")
    if named:
        return tuple(shown(word.strip()) for word in named.split(",")[:MOST_TRIGGERS] if word.strip())
    try:
        folders = json.loads(metadata.get("ss_tag_frequency", "{}"))
    except (ValueError, RecursionError):
        return ()
    counts: Counter[str] = Counter()
    for tags in folders.values() if isinstance(folders, dict) else ():
        for tag, count in tags.items() if isinstance(tags, dict) else ():
            if isinstance(count, int) and shown(tag.strip()):
                counts[shown(tag.strip())] += count
    return tuple(tag for tag, _ in counts.most_common(MOST_TRIGGERS))
