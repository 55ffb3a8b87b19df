"""Small pictures made on the spot, without an imaging library."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int, colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    """A PNG of one colour."""
    rows = (b"\0" + bytes(colour) * width) * height
    return png_of_rows(width, height, rows)


def half_mask(width: int, height: int) -> bytes:
    """A PNG whose left half is white (paint here) and whose right half is black."""
    row = b"\0" + b"\xff\xff\xff" * (width // 2) + b"\0\0\0" * (width - width // 2)
    return png_of_rows(width, height, row * height)


def png_of_rows(width: int, height: int, rows: bytes) -> bytes:
    """A PNG of these filtered RGB rows, which may be too few."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
