"""Single values that must be possible: each check raises BadInput naming the value and what is allowed."""

from __future__ import annotations

import math

from .errors import BadInput

MAX_PROMPT_BYTES = 100_000


def check_whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(name, value, f"a whole number from {low} to {high}")
    return value


def check_number(name: str, value: object, low: float, high: float) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not low <= value <= high
    ):
        raise BadInput(name, value, f"a number from {low:g} to {high:g}")
    return float(value)


def check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise BadInput(name, text, "text")
    if "\0" in text:
        raise BadInput(name, text, "text without NUL characters")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadInput(name, text, "text that can be written as UTF-8") from None
    if size >= MAX_PROMPT_BYTES:
        raise BadInput(name, f"{size:,} bytes", f"less than {MAX_PROMPT_BYTES:,} bytes")
