"""JSON from strangers: bounded in size and depth, and never an exception."""

from __future__ import annotations

import json
import re
from typing import Any

MOST_CHARACTERS = 4 * 2**20
MOST_DEPTH = 32

_NO_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[^{}\[\]"]++', re.DOTALL)


def parsed(text: str, most_depth: int = MOST_DEPTH) -> Any:
    """The value of a JSON text, None for anything that is none, too long or too deep."""
    if len(text) > MOST_CHARACTERS or _depth(text) > most_depth:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def parsed_object(text: str, most_depth: int = MOST_DEPTH) -> dict[str, Any] | None:
    """The same when it is an object."""
    value = parsed(text, most_depth)
    return value if isinstance(value, dict) else None


def _depth(text: str) -> int:
    depth = deepest = 0
    for c in _NO_BRACKET.sub("", text):
        depth += 1 if c in "{[" else -1
        deepest = max(deepest, depth)
    return deepest
