"""Texts hidden in the lowest bits of the pixels, column by column, as some web UIs and NovelAI do."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import islice

from ..picture import Picture

SIGNATURES = {
    "stealth_pnginfo": False, "stealth_pngcomp": True, "stealth_rgbinfo": False, "stealth_rgbcomp": True,
}  # fmt: skip
MOST_BYTES = 4 * 2**20

_SIGNATURE_BYTES = 15


def hidden_text(picture: Picture) -> str:
    """The text hidden in the alpha or in the colours; empty when there is none."""
    for bits in (_alpha_bits, _colour_bits):
        if text := _read(bits(picture)):
            return text
    return ""


def _read(bits: Iterator[int]) -> str:
    signature = _bytes(bits, _SIGNATURE_BYTES).decode("latin-1")
    if signature not in SIGNATURES:
        return ""
    length = int.from_bytes(_bytes(bits, 4), "big") // 8
    if not 0 < length <= MOST_BYTES:
        return ""
    data = _bytes(bits, length)
    if SIGNATURES[signature]:
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, MOST_BYTES)
        except zlib.error:
            return ""
    return data.decode("utf-8", "ignore")


def _bytes(bits: Iterator[int], count: int) -> bytes:
    out = bytearray()
    for _ in range(count):
        byte = 0
        taken = 0
        for bit in islice(bits, 8):
            byte = byte << 1 | bit
            taken += 1
        if taken < 8:
            break
        out.append(byte)
    return bytes(out)


def _alpha_bits(picture: Picture) -> Iterator[int]:
    if picture.alpha is None:
        return
    for x in range(picture.width):
        for value in picture.alpha[x :: picture.width]:
            yield value & 1


def _colour_bits(picture: Picture) -> Iterator[int]:
    width, rgb = picture.width, picture.rgb
    for x in range(width):
        for y in range(picture.height):
            start = (y * width + x) * 3
            yield rgb[start] & 1
            yield rgb[start + 1] & 1
            yield rgb[start + 2] & 1
