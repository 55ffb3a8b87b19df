"""Very many damaged headers: none crashes or slows a reader down, and what is let pass is sound to the library as well.

`--faults N` tries 200 N safetensors and 100 N GGUF files.
"""

from __future__ import annotations

import os
import random
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gguf as reference
import pytest
from safetensors import safe_open

from imagegen_desktop.domain.errors import ModelProblem
from imagegen_desktop.formats.gguf import read_gguf
from imagegen_desktop.formats.safetensors import BITS, Header, read_safetensors
from tests.weights.headers import described, gguf, safetensors, text_fact

MOST_SECONDS = 2.0
MOST_GROWTH = 256 * 2**20

Damage = Callable[[bytearray, random.Random], None]


def _safetensors() -> list[bytes]:
    many = {f"blocks.{number}.weight": (number % 3 + 1, 2) for number in range(12)}
    shapes = [{"a": (2, 3), "b": (0,), "c.weight": (5,)}, many, {"é": (1,), "\\": (), "a\nb": (2, 2, 2)}]
    told = ({"format": "pt", "modelspec.title": "x"}, None, {"": "", "\u202e": "<b>"})
    return [safetensors(*described(one, metadata)) for one, metadata in zip(shapes, told, strict=True)]


def _gguf() -> list[bytes]:
    facts = [text_fact("general.architecture", "flux"), ("general.alignment", 4, struct.pack("<I", 32))]
    arrays = [
        ("tokens", 9, struct.pack("<IQ", 8, 2) + (struct.pack("<Q", 1) + b"a") * 2),
        ("counts", 9, struct.pack("<IQIII", 4, 3, 1, 2, 3)),
        ("sure", 7, b"\1"),
        ("share", 12, struct.pack("<d", 0.5)),
    ]
    return [
        gguf({"a": (32, 2), "b.weight": (7,)}, facts),
        gguf({"a": (4,), "b": (2, 2), "c": (1, 1, 1), "d": (1, 2, 1, 2)}, [*facts, *arrays]),
        gguf({f"blk.{number}": (3, 5) for number in range(9)}),
    ]


# ---- damage -----------------------------------------------------------------------------------------------

_EXTREMES = (0, 1, 7, 8, 0x7F, 0xFF, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**48, 2**53, 2**63 - 1, 2**64 - 1)
_WORDS = [b"0", b"-1", b"1e999", b"NaN", b"null", b"true", b"{}", b"[]", b'"', b",", b"[[", b"9" * 400, b"[" * 2000]
_WORDS += [
    b'"\\ud800"',
    b"\xff",
    b"\0",
    b'"__metadata__":{},',
    b'"a":1,',
    *(b'"' + name.encode() + b'"' for name in BITS),
]


def _bytes(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 8)):
        data[chance.randrange(len(data))] = chance.randrange(256)


def _bit(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _number(data: bytearray, chance: random.Random) -> None:
    """A number as wide as any field, at any place."""
    width = chance.choice((1, 4, 8))
    place = chance.randrange(max(1, len(data) - width))
    value = chance.choice(_EXTREMES) + chance.choice((0, 0, 1, -1))
    data[place : place + width] = (value % 2 ** (8 * width)).to_bytes(width, "little")


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _longer(data: bytearray, chance: random.Random) -> None:
    data += chance.randbytes(chance.randint(1, 64))


def _copied(data: bytearray, chance: random.Random) -> None:
    """A stretch of it stands elsewhere as well, or instead."""
    start, length, place = chance.randrange(len(data)), chance.randint(1, 40), chance.randrange(len(data))
    piece = data[start : start + length]
    data[place : place + chance.choice((0, len(piece)))] = piece


def _text(data: bytearray, chance: random.Random) -> None:
    """A word of JSON replaced or put in, the header's length told rightly."""
    if len(data) < 8:
        return
    (length,) = struct.unpack_from("<Q", data)
    end = 8 + min(length, len(data) - 8)
    marks = [place for place in range(8, end) if data[place] in b'{}[]:,"0123456789']
    place, word = chance.choice(marks or [8]), chance.choice(_WORDS)
    gone = min(chance.randint(0, 3), end - place)
    data[place : place + gone] = word
    struct.pack_into("<Q", data, 0, end - 8 + len(word) - gone)


_ANY: tuple[Damage, ...] = (_bytes, _bit, _number, _cut, _longer, _copied)


# ---- the proof --------------------------------------------------------------------------------------------


def _tensors_of_safetensors(path: Path) -> set[str]:
    with safe_open(path, "np") as opened:
        return set(opened.keys())


def _tensors_of_gguf(path: Path) -> set[str]:
    return {tensor.name for tensor in reference.GGUFReader(path).tensors}


def _fuzz(
    path: Path,
    seeds: list[bytes],
    damages: tuple[Damage, ...],
    read: Callable[[Path], Header],
    by_the_library: Callable[[Path], set[str]],
    count: int,
) -> tuple[int, float]:
    """How many passed, and the seconds of the slowest."""
    chance, passed, slowest, before = random.Random(11), 0, 0.0, _resident()
    for number in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            if data:
                chance.choice(damages)(data, chance)
        path.write_bytes(data)
        began = time.perf_counter()
        header = None
        with suppress(ModelProblem):
            header = read(path)
        slowest = max(slowest, time.perf_counter() - began)
        if header is not None:
            passed += 1
            assert by_the_library(path) == set(header.tensors), number
        if number % 10_000 == 0:
            assert _resident() - before < MOST_GROWTH, number
    assert slowest < MOST_SECONDS
    return passed, slowest


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0  # only Linux tells


@pytest.mark.parametrize(("kind", "share"), [("safetensors", 200), ("gguf", 100)])
def test_damaged_headers(tmp_path: Path, request: pytest.FixtureRequest, kind: str, share: int) -> None:
    count = share * int(request.config.getoption("--faults"))
    place = tmp_path / f"damaged.{kind}"
    if kind == "safetensors":
        found = _fuzz(place, _safetensors(), (*_ANY, _text, _text), read_safetensors, _tensors_of_safetensors, count)
    else:
        found = _fuzz(place, _gguf(), _ANY, read_gguf, _tensors_of_gguf, count)
    print(f"{count} {kind}: {found[0]} passed, the slowest took {found[1] * 1000:.1f} ms")
    assert 0 < found[0] < count
