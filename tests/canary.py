"""Canary keys: they stand in the environment of every test, and nothing the program writes or sends may hold one."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

OPENAI = "sk-canary/0123456789+openai"
REPLICATE = "r8_canary/0123456789+replicate"
WRITER = "wr-canary/0123456789+writer"
HUGGINGFACE = "hf_canary0123456789huggingface"

#: In the environment of the whole test run, and with addresses at which nobody listens.
ENVIRONMENT = {
    "OPENAI_API_KEY": OPENAI,
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "REPLICATE_API_TOKEN": REPLICATE,
    "REPLICATE_BASE_URL": "http://127.0.0.1:9",
    "IMAGEGEN_DESKTOP_WRITER_KEY": WRITER,
    "HF_TOKEN": HUGGINGFACE,
}
_LARGEST_REGION = 2**28


def disguises(key: str) -> Iterator[bytes]:
    """The key as it might stand somewhere: plain, hexadecimal, URL-encoded, UTF-16, base64 at any alignment."""
    plain = key.encode()
    yield from (plain, plain.hex().encode(), quote(key, safe="").encode(), quote(key).encode())
    yield from (key.encode("utf-16-le"), key.encode("utf-16-be"))
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(shift) + plain)[4 if shift else 0 : -4]


_FORMS = tuple(dict.fromkeys(form for key in (OPENAI, REPLICATE, WRITER, HUGGINGFACE) for form in disguises(key)))


def hits(data: bytes) -> list[bytes]:
    """The forms of our keys found in these bytes."""
    return [form for form in _FORMS if form in data]


def hits_in_files(folder: Path) -> dict[str, list[bytes]]:
    """Every file below a folder that holds a key, also packed inside a picture."""
    found: dict[str, list[bytes]] = {}
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            data = file.read_bytes()
            forms = hits(data) + [form for part in _unpacked(data) for form in hits(part)]
            if forms:
                found[str(file)] = forms
    return found


def hits_in_process(pid: int) -> list[bytes]:
    """The forms of our keys in a process's environment, command line, memory map and memory."""
    return [form for part in _memory_of(pid) for form in hits(part)]


def _unpacked(data: bytes) -> Iterable[bytes]:
    """The texts that a PNG keeps packed."""
    if data.startswith(b"\x89PNG"):
        for kind in (b"zTXt", b"iTXt", b"iCCP"):
            for piece in data.split(kind)[1:]:
                start = piece.find(b"\x78")
                if 0 <= start < 200:
                    yield _inflated(piece[start:])


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, 2**20)
    except zlib.error:
        return b""


def _memory_of(pid: int) -> Iterator[bytes]:
    place = Path(f"/proc/{pid}")
    yield (place / "environ").read_bytes()
    yield (place / "cmdline").read_bytes()
    maps = (place / "maps").read_text()
    yield maps.encode()
    with (place / "mem").open("rb", 0) as memory:
        for line in maps.splitlines():
            span, rights, *_ = line.split()
            start, end = (int(side, 16) for side in span.split("-"))
            # What cannot be written came from a file as it is.
            if not rights.startswith("rw") or "[v" in line or end - start > _LARGEST_REGION:
                continue
            try:
                memory.seek(start)
                yield memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
