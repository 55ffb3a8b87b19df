"""The readable difference of two texts, word by word."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

SAME, ADDED, REMOVED = "same", "added", "removed"

_WORDS = re.compile(r"\s+|[^\s,.;:]+|[,.;:]")


@dataclass(frozen=True)
class Change:
    """A run of text: `kind` is same, added or removed. The same and removed runs together are the old text, the
    same and added ones the new."""

    kind: str
    text: str


def word_diff(old: str, new: str) -> tuple[Change, ...]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    changes: list[Change] = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            changes.append(Change(SAME, "".join(before[a:b])))
            continue
        if b > a:
            changes.append(Change(REMOVED, "".join(before[a:b])))
        if d > c:
            changes.append(Change(ADDED, "".join(after[c:d])))
    return tuple(changes)
