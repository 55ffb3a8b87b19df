"""How what is added to a model is named in a prompt."""

from __future__ import annotations

import re


def word_pattern(name: str) -> re.Pattern[str]:
    """Finds the name of an embedding where it stands as a word of its own, in any case."""
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
