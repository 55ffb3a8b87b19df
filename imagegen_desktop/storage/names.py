"""File names every system can keep, whatever words they are made of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST_NAME = 180  # bytes of UTF-8; leaves room for a number and `.part` below the usual 255

_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CLOCK\$|COM[0-9¹²³]|LPT[0-9¹²³])(\..*)?", re.IGNORECASE)


def tidy_name(name: str) -> str:
    """One file name, without folders, controls, reserved words or trailing dots; never empty."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode())
    text = _FORBIDDEN.sub("_", text).strip(" .")
    stem, dot, ending = text.rpartition(".")
    if not stem:
        stem, dot, ending = text, "", ""
    ending = _shortened(ending, 10)
    stem = _shortened(stem, LONGEST_NAME - len((dot + ending).encode())).strip(" .") or "image"
    if _RESERVED.fullmatch(stem):
        stem = f"_{stem}"
    return (stem + dot + ending).rstrip(" .")


def numbered(name: str) -> Iterator[str]:
    """`name`, then `name-2`, `name-3` … for when it is taken."""
    yield name
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    for number in range(2, 100_000):
        yield f"{stem}-{number}{dot}{ending}"


def _shortened(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")
