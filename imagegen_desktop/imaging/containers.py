"""The texts inside picture files, read by hand and within limits: PNG chunks, JPEG and WebP EXIF.

A library's reader would lose line breaks or stop at large chunks; what other programs wrote differs from the standards.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from .decode import kind_of

MOST_CHUNK = 4 * 2**20
MOST_TOTAL = 16 * 2**20
MOST_ENTRIES = 2000

_EXIF_IFD = 0x8769
_EXIF_NAMES = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software",
    0x9286: "UserComment", 0x927C: "MakerNote",
}  # fmt: skip


def texts_of(data: bytes) -> dict[str, str]:
    """All texts of a PNG, JPEG or WebP by keyword (EXIF fields by their name); never an exception."""
    found: dict[str, str] = {}
    total = 0
    for key, text in _texts(data):
        total += len(text)
        if total > MOST_TOTAL or len(found) >= MOST_ENTRIES:
            break
        found.setdefault(key, text)
    return found


def _texts(data: bytes) -> Iterator[tuple[str, str]]:
    kind = kind_of(data)
    if kind == "png":
        for name, body in _png_chunks(data):
            yield from _png_texts(name, body)
    elif kind == "jpeg":
        for marker, body in _jpeg_segments(data):
            if marker == 0xE1 and body.startswith(b"Exif\0\0"):
                yield from _exif_texts(body[6:])
            elif marker == 0xFE:
                yield "Comment", _decoded(body)
    elif kind == "webp":
        for name, body in _webp_chunks(data):
            if name == b"EXIF":
                yield from _exif_texts(body.removeprefix(b"Exif\0\0"))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        name = data[position + 4 : position + 8]
        if name == b"IEND":
            return
        if length <= MOST_CHUNK and name in (b"tEXt", b"zTXt", b"iTXt", b"comf", b"eXIf"):
            yield name, data[position + 8 : min(position + 8 + length, len(data))]
        position += 12 + length


def _png_texts(name: bytes, body: bytes) -> Iterator[tuple[str, str]]:
    if name == b"eXIf":
        yield from _exif_texts(body)
        return
    keyword, zero, rest = body.partition(b"\0")
    if not zero:
        return
    if name == b"zTXt":
        rest = _inflated(rest[1:])
    elif name == b"iTXt":
        compressed, rest = rest[:1], rest[2:]
        rest = rest.partition(b"\0")[2].partition(b"\0")[2]
        rest = _inflated(rest) if compressed == b"\1" else rest
    yield keyword.decode("latin-1"), _decoded(rest)


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MOST_CHUNK)
    except zlib.error:
        return b""


def _decoded(data: bytes) -> str:
    """UTF-8 when it is that, whatever the chunk should hold; else Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in (0xDA, 0xD9):
            return
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 1:
            position += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        yield marker, data[position + 4 : position + 2 + max(length, 2)]
        position += 2 + max(length, 2)


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if length <= MOST_CHUNK:
            yield data[position : position + 4], data[position + 8 : position + 8 + length]
        position += 8 + length + (length & 1)


def _exif_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """The fields of the first directory and of the EXIF one that programs keep settings in."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return
    directories = [struct.unpack(order + "I", data[4:8])[0]]
    for _ in range(2):
        if not directories:
            return
        for tag, value in _directory(data, directories.pop(), order):
            if tag == _EXIF_IFD and len(value) == 4:
                directories.append(struct.unpack(order + "I", value)[0])
            elif tag in _EXIF_NAMES:
                yield _EXIF_NAMES[tag], _comment(value)


def _directory(data: bytes, offset: int, order: str) -> Iterator[tuple[int, bytes]]:
    count = int.from_bytes(data[offset : offset + 2], "little" if order == "<" else "big")
    for number in range(min(count, 500)):
        entry = data[offset + 2 + 12 * number : offset + 14 + 12 * number]
        if len(entry) < 12:
            return
        tag, kind, length = struct.unpack(order + "HHI", entry[:8])
        size = length * {3: 2, 4: 4}.get(kind, 1)
        if kind not in (1, 2, 3, 4, 7) or size > MOST_CHUNK:
            continue
        start = struct.unpack(order + "I", entry[8:])[0]
        yield tag, entry[8 : 8 + size] if size <= 4 else data[start : start + size]


def _comment(value: bytes) -> str:
    """A user comment with its 8-byte prefix, or a plain field without one."""
    if value.startswith(b"UNICODE\0"):
        return _utf16(value[8:])
    return _decoded(value.removeprefix(b"ASCII\0\0\0")).strip("\0")


def _utf16(data: bytes) -> str:
    """In the byte order that makes more of it letters a prompt is likely to have: programs write either."""
    choices = [data.decode(name, "replace") for name in ("utf-16-be", "utf-16-le")]
    best = max(choices, key=lambda text: sum(1 for c in text if c.isascii() and c.isprintable()))
    return best.removeprefix("\ufeff")
