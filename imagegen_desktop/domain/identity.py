"""Names for jobs and images: short, sortable by time, never the same twice."""

from __future__ import annotations

import secrets
import time

_CHANCE_DIGITS = 10


def new_id() -> str:
    """21 hexadecimal digits: milliseconds since 1970, then chance enough for thousands in one of them."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[str]:
    """`count` names at once, with one question to the system for chance."""
    moment, chance = f"{time.time_ns() // 1_000_000:011x}", secrets.token_hex(count * _CHANCE_DIGITS // 2)
    return [moment + chance[start : start + _CHANCE_DIGITS] for start in range(0, len(chance), _CHANCE_DIGITS)]
