"""The seal at the end of our PNGs: it tells that a file is, byte for byte, what was written, which can be decoded. Who
changes the file breaks the seal; then its pixels have to be looked at.

It is a text chunk of fixed length right before the end: the SHA-256 of the RGB rows, and that of the file without it.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

from .picture import MOST_PIXELS, Fingerprint, Picture

_KEYWORD = b"imagegen-desktop seal\0"
_HASH = 64
_END = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
_HEAD = struct.pack(">I", len(_KEYWORD) + 2 * _HASH) + b"tEXt" + _KEYWORD
_LENGTH = len(_HEAD) + 2 * _HASH + 4


def sealed(png: bytes, picture: Picture) -> bytes:
    """A PNG with its seal."""
    sums = picture.sha256 + hashlib.sha256(png).hexdigest()
    return png[: -len(_END)] + _chunk(sums.encode()) + _END


def hashed(data: bytes) -> tuple[str, Fingerprint | None]:
    """The SHA-256 of a file, and what its seal vouches for; None where there is none or it is broken."""
    at = max(0, len(data) - len(_END) - _LENGTH)
    view = memoryview(data)
    whole = hashlib.sha256(view[:at])
    unsealed = whole.copy()
    whole.update(view[at:])
    seal = data[at : at + _LENGTH]
    sums = seal[len(_HEAD) : len(_HEAD) + 2 * _HASH]
    unsealed.update(_END)
    if data[at:] != _chunk(sums) + _END or sums[_HASH:] != unsealed.hexdigest().encode():
        return whole.hexdigest(), None
    width, height = struct.unpack(">II", data[16:24])
    if not 0 < width * height <= MOST_PIXELS:
        return whole.hexdigest(), None
    return whole.hexdigest(), Fingerprint(width=width, height=height, pixels_sha256=sums[:_HASH].decode("ascii"))


def _chunk(sums: bytes) -> bytes:
    return _HEAD + sums + struct.pack(">I", zlib.crc32(_HEAD[4:] + sums))
