"""Model files made of nothing but a header and zeros."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path


def safetensors(header: Mapping[str, object] | bytes, data: int) -> bytes:
    """The file with that header and so many bytes of zeros."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(data)


def described(
    shapes: Mapping[str, Sequence[int]], metadata: Mapping[str, str] | None = None, dtype: str = "F16"
) -> tuple[dict[str, object], int]:
    """The header of tensors with those shapes, and their bytes."""
    size = {"F16": 2, "BF16": 2, "F32": 4}[dtype]
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    place = 0
    for name, shape in shapes.items():
        end = place
        count = 1
        for extent in shape:
            count *= extent
        end += count * size
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    return header, place


def write(path: Path, shapes: Mapping[str, Sequence[int]], metadata: Mapping[str, str] | None = None) -> Path:
    """A sound safetensors file; its tensors are a hole in the disk."""
    header, size = described(shapes, metadata)
    start = safetensors(header, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(start)
        file.truncate(len(start) + size)
    return path


def gguf(
    shapes: Mapping[str, Sequence[int]],
    facts: Sequence[tuple[str, int, bytes]] = (),
    kind: int = 1,
    offset: int | None = None,
    data: int | None = None,
) -> bytes:
    """A GGUF file of half-precision tensors (or of type `kind`), shapes with the innermost dimension first."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(facts))
    for key, value_type, value in facts:
        head += _text(key) + struct.pack("<I", value_type) + value
    place = 0
    for name, shape in shapes.items():
        count = 1
        for extent in shape:
            count *= extent
        head += _text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", extent) for extent in shape)
        head += struct.pack("<IQ", kind, place if offset is None else offset)
        place += -(-count * 2 // 32) * 32
    return head + bytes(-len(head) % 32) + bytes(place if data is None else data)


def write_gguf(path: Path, shapes: Mapping[str, Sequence[int]], facts: Sequence[tuple[str, int, bytes]] = ()) -> Path:
    """A sound GGUF file; `shapes` with the outermost dimension first, its tensors are a hole in the disk."""
    start = gguf({name: tuple(shape)[::-1] for name, shape in shapes.items()}, facts, data=0)
    sizes = (math.prod(shape) * 2 for shape in shapes.values())
    with path.open("wb") as file:
        file.write(start)
        file.truncate(len(start) + sum(-(-size // 32) * 32 for size in sizes))
    return path


def text_fact(key: str, value: str) -> tuple[str, int, bytes]:
    return key, 8, _text(value)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
