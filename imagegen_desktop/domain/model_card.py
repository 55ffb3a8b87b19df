"""ModelCard: what the library knows about a model on disk without loading a tensor."""

from __future__ import annotations

from dataclasses import dataclass, field

from .families import FAMILIES, Family


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Width, height, steps and guidance are the model's own; the family's where the model says nothing.

    `vocabulary` holds the words that mean something to a model which knows only a few, and is empty for all others.
    `about` is the model card in the folder, as text; `sampler` the scheduler class the folder names, for people.
    """

    name: str
    path: str
    family: str
    size_bytes: int
    width: int
    height: int
    steps: int
    guidance: float
    sampler: str = ""
    title: str = ""
    summary: str = ""
    licence: str = ""
    examples: tuple[str, ...] = ()
    vocabulary: frozenset[str] = field(default_factory=frozenset)
    about: str = field(default="", repr=False)
    built_in: bool = False

    @property
    def kind(self) -> Family:
        return FAMILIES[self.family]
