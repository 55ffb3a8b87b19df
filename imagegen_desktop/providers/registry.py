"""All makers of images behind a network: ours, and those another installed package brings along.

A package adds one by an entry point of the group `imagegen_desktop.providers` that names a function or class taking
the Surroundings and giving a Provider. Window, command line and queue find it without knowing it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ..logs import logger
from .base import Provider
from .cloud import Surroundings
from .openai import OpenAIProvider
from .replicate import ReplicateProvider

GROUP = "imagegen_desktop.providers"

#: Variables that point a provider somewhere else for one run.
ENDPOINT_VARIABLES = {
    "openai": "OPENAI_BASE_URL",
    "replicate": "REPLICATE_BASE_URL",
    "huggingface": "HF_ENDPOINT",
}

Maker = Callable[[Surroundings], Provider]


def cloud_providers(surroundings: Surroundings) -> dict[str, Provider]:
    """By name, ours first; one that cannot be made is left out and said in the log."""
    made: dict[str, Provider] = {}
    makers: list[Maker] = [OpenAIProvider, ReplicateProvider, *_added()]
    for maker in makers:
        provider = maker(surroundings)
        made.setdefault(provider.name, provider)
    return made


def _added() -> Iterator[Maker]:
    if not any(_names_the_group(Path(folder)) for folder in sys.path):
        return  # the proper search costs every start more than this look
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        try:
            yield entry.load()
        except (ImportError, AttributeError) as error:
            logger("providers").warning("a provider cannot be loaded", name=entry.name, reason=str(error))


def _names_the_group(folder: Path) -> bool:
    files = folder.glob("*.dist-info/entry_points.txt") if folder.is_dir() else ()
    return any(GROUP in file.read_text(encoding="utf-8", errors="replace") for file in files)
