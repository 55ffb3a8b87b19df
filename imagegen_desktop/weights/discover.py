"""Where models lie below a folder: each is found wherever it is, by what it is and not by its folder's name."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ..formats.kinds import looks_like_weights
from .inspect import is_model_folder

MOST_DEEP = 5
MOST_ENTRIES = 100_000

#: Configs and tokenizers of families, and the hub's store behind the names it shows.
_NO_MODELS = frozenset({"kits", "blobs", "refs", "__pycache__"})


def candidates(root: Path) -> Iterator[Path]:
    """Model folders and files of weights below `root`, by name; links are followed, each folder once."""
    seen: set[tuple[int, int]] = set()
    budget = iter(range(MOST_ENTRIES))
    yield from _below(root, MOST_DEEP, seen, budget)


def folders_stamp(roots: Iterable[Path]) -> Hashable:
    """Changes when a file or folder comes to `roots` or below, goes, or gets another name."""
    found = []
    for root in roots:
        for place, folders, _ in os.walk(root):
            deep = len(os.path.relpath(place, root).split(os.sep))
            folders[:] = sorted(name for name in folders if not name.startswith(".")) if deep <= MOST_DEEP else []
            with suppress(OSError):
                found.append((place, os.stat(place).st_mtime_ns))
            if len(found) > MOST_ENTRIES:
                return tuple(found)
    return tuple(found)


def _below(folder: Path, deep: int, seen: set[tuple[int, int]], budget: Iterator[int]) -> Iterator[Path]:
    try:
        found = folder.stat()
        if (found.st_dev, found.st_ino) in seen:
            return
        seen.add((found.st_dev, found.st_ino))
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if next(budget, None) is None:
            return
        if entry.name.startswith(".") or entry.name in _NO_MODELS:
            continue
        path = Path(entry.path)
        if not _is_folder(entry):
            if looks_like_weights(entry.name):
                yield path
        elif is_model_folder(path):
            yield path
        elif deep:
            yield from _below(path, deep - 1, seen, budget)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
