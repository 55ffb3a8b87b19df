"""Frames on a byte stream: a length-prefixed JSON head followed by raw blobs. Never pickle.

    u32 magic | u32 head length | head (UTF-8 JSON) | blobs, whose lengths stand in the head

Every length is bounded before anything is allocated, so a broken peer cannot exhaust memory.
"""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Sequence
from typing import IO, Any

MAGIC = 0x49474431  # "IGD1"
MAX_HEAD = 4 * 2**20
MAX_BLOB = 2**30
MAX_BLOBS = 8
_PREFIX = struct.Struct(">II")
_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class FrameError(ValueError):
    """The stream does not hold a frame; nothing that follows on it can be trusted."""


class Stream:
    """Sends and receives frames on two binary files. `send` may be called from any thread."""

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sending = threading.Lock()

    def send(self, head: dict[str, Any], blobs: Sequence[bytes | memoryview] = ()) -> None:
        """Raises OSError or ValueError when the other end is gone."""
        text = _JSON.encode(head | {"blobs": [len(blob) for blob in blobs]}).encode()
        with self._sending:
            self._outgoing.write(_PREFIX.pack(MAGIC, len(text)) + text)
            for blob in blobs:
                self._outgoing.write(blob)
            self._outgoing.flush()

    def receive(self) -> tuple[dict[str, Any], tuple[bytes, ...]] | None:
        """The next frame, or None at a clean end of the stream; raises FrameError for anything else."""
        prefix = self._read(_PREFIX.size, at_boundary=True)
        if prefix is None:
            return None
        magic, length = _PREFIX.unpack(prefix)
        if magic != MAGIC or length > MAX_HEAD:
            raise FrameError(f"not a frame: magic {magic:#x}, head of {length} bytes")
        head = _parse_head(self._read(length) or b"")
        return head, tuple(self._read(size) or b"" for size in _blob_sizes(head))

    def close(self) -> None:
        for file in (self._outgoing, self._incoming):
            try:
                file.close()
            except OSError:
                pass

    def _read(self, size: int, at_boundary: bool = False) -> bytes | None:
        chunks: list[bytes] = []
        missing = size
        while missing:
            chunk = self._incoming.read(min(missing, 2**20))
            if not chunk:
                if at_boundary and missing == size:
                    return None
                raise FrameError("the stream ended inside a frame")
            chunks.append(chunk)
            missing -= len(chunk)
        return b"".join(chunks)


def _parse_head(text: bytes) -> dict[str, Any]:
    try:
        head = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError("the head is not JSON") from error
    if not isinstance(head, dict):
        raise FrameError("the head is not a JSON object")
    return head


def _blob_sizes(head: dict[str, Any]) -> list[int]:
    sizes = head.pop("blobs", None)
    if not isinstance(sizes, list) or len(sizes) > MAX_BLOBS:
        raise FrameError("the head does not tell its blobs")
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MAX_BLOB:
            raise FrameError(f"a blob of {size} bytes")
    return sizes
