"""Wildcard files: an artist's own lists of words, one text file for each or several in a YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

MOST_BYTES = 8 * 2**20
MOST_LINES = 200_000
_YAML = (".yaml", ".yml")


class WildcardFiles:
    """Those below one folder. `colours.txt` is `colours`, `animals/cats.txt` is `animals/cats`, and so is the list
    `cats` under `animals` in any YAML file. A file is read again when it has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[tuple[int, int], dict[str, list[str]]]] = {}

    def tables(self) -> dict[str, list[str]]:
        """The lines of every list by its name, as they are now."""
        found: dict[str, list[str]] = {}
        for file in sorted(self._folder.rglob("*")):
            if file.suffix.lower() in (".txt", *_YAML):
                for name, lines in self._lists(file).items():
                    found[name] = [*found.get(name, ()), *lines]
        return found

    def _lists(self, file: Path) -> dict[str, list[str]]:
        try:
            status = file.stat()
            state = status.st_size, status.st_mtime_ns
            if file not in self._read or self._read[file][0] != state:
                text = "" if status.st_size > MOST_BYTES else file.read_text("utf-8-sig", errors="replace")
                self._read[file] = state, self._parsed(file, text)
            return self._read[file][1]
        except OSError:
            return {}

    def _parsed(self, file: Path, text: str) -> dict[str, list[str]]:
        if file.suffix.lower() in _YAML:
            try:
                return _lists_in(yaml.safe_load(text))
            except (yaml.YAMLError, RecursionError, ValueError):
                return {}
        name = file.relative_to(self._folder).with_suffix("").as_posix()
        lines = (line.strip() for line in text.replace("\0", "").splitlines()[:MOST_LINES])
        return {name: [line for line in lines if line and not line.startswith("#")]}


def _lists_in(tree: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number, (name, line) in enumerate(_leaves(tree, ())):
        if number == MOST_LINES:
            break
        found.setdefault(name, []).append(line)
    return found


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from _leaves(branch, (*path, str(name)))
    elif isinstance(tree, list):
        for each in tree:
            yield from _leaves(each, path)
    elif tree is not None and path:
        line = str(tree).replace("\0", "").strip()
        if line:
            yield "/".join(path), line
