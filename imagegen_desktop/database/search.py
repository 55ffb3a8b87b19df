"""What an artist types into the search field, made into a full-text query that can never be an error.

Words are prefixes and all must occur; "an exact phrase" in quotes; -word leaves images out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_TERMS = 32

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


@dataclass(frozen=True)
class TextSearch:
    """FTS5 expressions: what must match and what must not; empty for no condition."""

    wanted: str = ""
    unwanted: str = ""


def tag_search(tag: str) -> str:
    """Matches at least the images with that tag; nothing for a tag without letters or digits."""
    clean = _clean(tag).replace('"', " ")
    return f'tags : "{clean}"' if any(c.isalnum() for c in clean) else ""


def text_search(typed: str) -> TextSearch:
    """The search a typed line means; what holds no letter or digit is ignored."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, word in _TERM.findall(_clean(typed)):
        text = phrase or word
        if not any(c.isalnum() for c in text):
            continue
        term = f'"{text}"' if phrase else f'"{text}"*'
        (unwanted if minus else wanted).append(term)
    return TextSearch(" AND ".join(wanted[:MOST_TERMS]), " OR ".join(unwanted[:MOST_TERMS]))


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).encode("utf-8", "ignore").decode()
