"""Kits: a family's configs and tokenizers, which a single file of weights does not bring along."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from ..domain.errors import ModelProblem
from ..formats.folder import OPTIONAL, read_index

#: Any one of these sets of files makes a tokenizer.
_TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("spiece.model",), ("tokenizer.model",))


def is_complete(kit: Path) -> bool:
    """Whether every part the kit's index names has its config or its tokenizer."""
    with contextlib.suppress(ModelProblem):
        parts = read_index(kit).parts
        return all(name in OPTIONAL or _is_described(kit / name, name) for name in parts)
    return False


def kit_of(family: str, roots: Iterable[Path]) -> Path | None:
    """The first complete kit of that family below one of `roots`."""
    return next((root / family for root in roots if is_complete(root / family)), None)


def _is_described(part: Path, name: str) -> bool:
    if name.startswith(("tokenizer", "processor")):
        return any(all((part / file).is_file() for file in files) for files in _TOKENIZERS)
    return (part / ("scheduler_config.json" if name == "scheduler" else "config.json")).is_file()
