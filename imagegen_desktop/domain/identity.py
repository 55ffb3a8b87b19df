"""Names for jobs and images: short, sortable by time, never the same twice."""

from __future__ import annotations

import secrets
import time


def new_id() -> str:
    """21 hexadecimal digits: milliseconds since 1970, then chance enough for thousands in one of them."""
    return f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(5)}"
