"""Reading what providers say without trusting it: their sentences, their waiting times, their event streams."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

#: The advice where waiting is all there is to do.
PATIENCE = "Retry in a while; what waits in the queue goes on by itself."

_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LONGEST = 300
_LONGEST_WAIT = 300.0


def their_words(text: object, key: str) -> str:
    """A provider's sentence on one line, shortened, with a full stop, without control characters and our key."""
    plain = "".join(c if c.isprintable() else " " for c in text) if isinstance(text, str) else "no reason given"
    plain = " ".join(plain.split())
    if len(key) >= 8:
        plain = plain.replace(key, "[key]")
    if len(plain) > _LONGEST:
        return plain[: _LONGEST - 1] + "…"
    return plain if plain.endswith((".", "!", "?", "…", ")")) else f"{plain}."


def request_number(text: str | None) -> str:
    """The number a provider gave our request, for its support; empty for anything that does not look like one."""
    return text if text and _NUMBER.fullmatch(text) else ""


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds a server asks us to wait, at most five minutes; 0 when it does not say."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return min(seconds, _LONGEST_WAIT)
    return 0.0


async def server_sent(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of a stream of server-sent events; raises ValueError for anything else in a data field."""
    data: list[str] = []
    async for line in lines:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            text, data = "\n".join(data), []
            if text == "[DONE]":
                return
            yield _object(text)
    if data and data != ["[DONE]"]:
        yield _object("\n".join(data))


def parsed(text: str | bytes) -> object:
    """A stranger's JSON; raises ValueError for anything that is none, however it is nested."""
    try:
        value: object = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _object(text: str) -> dict[str, Any]:
    value = parsed(text)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def whole(value: object) -> int:
    """A count somebody sent; 0 for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else 0


def mapping(value: object) -> Mapping[str, Any]:
    """An object somebody sent; an empty one for anything that is none."""
    return value if isinstance(value, Mapping) else {}
