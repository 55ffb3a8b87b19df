"""Reads the header of a safetensors file, stricter than the reference library, and never a tensor.

Format: https://github.com/huggingface/safetensors#format. A file that passes has no gap, no overlap, nothing behind
its last tensor, and every tensor's bytes are those its type and shape ask for.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from ..domain.errors import ModelProblem
from .files import COPY_AGAIN, exactly, open_regular

MOST_HEADER = 25 * 2**20
MOST_TENSORS = 60_000
MOST_NAME = 512
MOST_DIMENSIONS = 8
MOST_EXTENT = 2**48
#: Trainers write the words of every training picture here; real ones reach a few megabytes.
MOST_METADATA = 8 * 2**20

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

#: Element type → bits.
BITS: Mapping[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a file; `begin` and `end` are bytes from the start of the data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a model file says about itself. `metadata` was written by a stranger: for showing only."""

    tensors: Mapping[str, TensorEntry]
    metadata: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int = 0


def read_safetensors(path: Path) -> Header:
    """The checked header; raises ModelProblem saying in one line what is wrong with the file."""
    with open_regular(path) as (file, size):
        name = path.name
        if size < 8:
            raise _broken(name, "it is too short to be one")
        (length,) = struct.unpack("<Q", exactly(file, 8, name))
        if length > MOST_HEADER:
            raise _broken(name, f"its header claims {length} bytes; at most {MOST_HEADER} are read")
        if length > size - 8:
            raise _broken(name, "it is cut off inside its header")
        return _checked(exactly(file, length, name), size, name)


def _checked(text: bytes, size: int, name: str) -> Header:
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=_without_doubles)
        if _SURROGATE.search(text):
            json.dumps(found, ensure_ascii=False).encode("utf-8")  # half of a pair is no text
    except (ValueError, RecursionError) as error:
        raise _broken(name, "its header is not valid JSON") from error
    if not text.startswith(b"{") or not isinstance(found, dict):
        raise _broken(name, "its header is no table of tensors")
    metadata = _metadata(found.pop("__metadata__", {}), name)
    if not found or len(found) > MOST_TENSORS:
        raise _broken(name, f"it lists {len(found)} tensors; 1 to {MOST_TENSORS} are read")
    tensors = {key: _entry(key, value, name) for key, value in found.items()}
    _check_spans(tensors, size - 8 - len(text), name)
    return Header(tensors, metadata, size)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _metadata(found: object, name: str) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise _broken(name, "its metadata is no table of texts")
    if sum(len(key) + len(value) for key, value in found.items()) > MOST_METADATA:
        raise _broken(name, f"its metadata is longer than {MOST_METADATA} characters")
    return found


def _entry(key: str, value: object, name: str) -> TensorEntry:
    if len(key) > MOST_NAME:
        raise _broken(name, f"a tensor's name is longer than {MOST_NAME} characters")
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        raise _broken(name, f"its tensor {_short(key)} is not described as one")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise _broken(name, f"its tensor {_short(key)} has the unknown type {_short(dtype)}")
    if not _whole_numbers(shape) or len(shape) > MOST_DIMENSIONS or prod(side or 1 for side in shape) > MOST_EXTENT:
        raise _broken(name, f"its tensor {_short(key)} has an impossible shape")
    if not _whole_numbers(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _broken(name, f"its tensor {_short(key)} lies nowhere")
    if prod(shape) * BITS[dtype] != 8 * (offsets[1] - offsets[0]):
        raise _broken(name, f"its tensor {_short(key)} does not have the bytes of its shape")
    return TensorEntry(dtype, tuple(shape), offsets[0], offsets[1])


def _whole_numbers(found: Any) -> bool:
    return isinstance(found, list) and all(type(item) is int and 0 <= item <= MOST_EXTENT for item in found)


def _check_spans(tensors: Mapping[str, TensorEntry], held: int, name: str) -> None:
    """One tensor begins where the one before ends, and the last ends with the file."""
    place = 0
    for entry in sorted(tensors.values(), key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != place:
            raise _broken(name, "its tensors overlap" if entry.begin < place else "there is a gap between its tensors")
        place = entry.end
    if place > held:
        raise _broken(name, f"it is cut off: {place} bytes of tensors belong in it and {held} are there")
    if place < held:
        raise _broken(name, f"{held - place} bytes follow its last tensor and belong to nothing")


def _broken(name: str, reason: str) -> ModelProblem:
    return ModelProblem(f"{name} is no sound safetensors file: {reason}.", COPY_AGAIN)


def _short(text: object) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return shown if len(shown) <= 60 else shown[:59] + "…"
