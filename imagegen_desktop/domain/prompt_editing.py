"""Editing a prompt's weights where the cursor is, as artists do with a key instead of typing brackets."""

from __future__ import annotations

import re

from .prompt_syntax import EMPHASIS

STEP = 0.1
_LEAST, _MOST = -5.0, 5.0
_WORD = re.compile(r"[^\s()\[\]{}<>:|,;.!?\\]+")
_NUMBER_AFTER = re.compile(r":\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)")


def weighed(text: str, start: int, end: int, steps: int) -> tuple[str, int, int]:
    """The text with the selection's weight changed by `steps` tenths, and where the same words stand then.

    Without a selection the weighted words around the cursor are meant, or else the word at it. What weighs 1 again
    loses its brackets.
    """
    if start == end:
        start, end = _around(text, start)
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return text, start, end
    before, weight, after = _brackets(text, start, end)
    weight = round(min(max(weight + steps * STEP, _LEAST), _MOST), 2)
    words = text[start:end]
    head, tail = text[:before], text[after:]
    if weight == 1.0:
        return head + words + tail, before, before + len(words)
    return f"{head}({words}:{weight:g}){tail}", before + 1, before + 1 + len(words)


def _brackets(text: str, start: int, end: int) -> tuple[int, float, int]:
    """Where the brackets right around the words begin and end, and what they weigh; 1 for none."""
    opening, number = text[start - 1 : start], _NUMBER_AFTER.match(text, end)
    escaped = text[start - 2 : start - 1] == "\\" if start > 1 else False
    if opening == "(" and not escaped:
        if number:
            return start - 1, float(number[1]), number.end()
        if text[end : end + 1] == ")":
            return start - 1, EMPHASIS, end + 1
    if opening == "[" and text[end : end + 1] == "]" and not escaped and not set(":|") & set(text[start:end]):
        return start - 1, round(1 / EMPHASIS, 1), end + 1
    return start, 1.0, end


def _around(text: str, place: int) -> tuple[int, int]:
    """The words of the innermost `(words:number)` the place lies in, else the word at it."""
    depth = 0
    for opening in range(place - 1, -1, -1):
        depth += (text[opening] == ")") - (text[opening] == "(")
        if depth < 0:
            closing = _closing(text, opening)
            number = _last_number(text, opening, closing)
            if number is not None and number >= place:
                return opening + 1, number
            break
    for word in _WORD.finditer(text):
        if word.start() <= place <= word.end():
            return word.start(), word.end()
    return place, place


def _closing(text: str, opening: int) -> int:
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return -1


def _last_number(text: str, opening: int, closing: int) -> int | None:
    """Where the colon of the brackets' weight stands."""
    colon = text.rfind(":", opening, closing)
    found = _NUMBER_AFTER.match(text, colon) if colon > opening else None
    return colon if found and found.end() == closing + 1 else None
