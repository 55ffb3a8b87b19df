"""Reads the header of a GGUF file within bounds: every count, length and offset is checked before it is believed.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import BinaryIO

from ..domain.errors import ModelProblem
from .files import COPY_AGAIN, open_regular
from .safetensors import MOST_EXTENT, MOST_HEADER, MOST_NAME, MOST_TENSORS, Header, TensorEntry

MAGIC = b"GGUF"
MOST_FACTS = 4096
MOST_DIMENSIONS = 4
MOST_SHOWN = 4096

_DEFAULT_ALIGNMENT = 32
_MOST_ALIGNMENT = 65536
_ALIGNMENT = "general.alignment"
_UINT32, _STRING, _ARRAY = 4, 8, 9

#: Value type → struct format of one number.
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

#: Tensor type → its name, elements in a block, bytes of a block.
TYPES: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 30: ("BF16", 1, 2), 28: ("F64", 1, 8),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8),
    2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    29: ("IQ1_M", 256, 56), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
}  # fmt: skip


def read_gguf(path: Path) -> Header:
    """The checked header, shapes with the outermost dimension first; raises ModelProblem with what is wrong."""
    with open_regular(path) as (file, size):
        return _Reader(file, size, path.name).header()


class _Reader:
    """Goes through a header once; whatever is read is counted against the file and against what a header may hold."""

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self._file = io.BufferedReader(file)  # type: ignore[type-var]
        self._size = size
        self._name = name
        self._place = 0

    def header(self) -> Header:
        try:
            return self._header()
        finally:
            self._file.detach()

    def _header(self) -> Header:
        if self._bytes(4) != MAGIC:
            raise self._broken("it does not begin as one")
        version = self._number("I")
        if version not in (2, 3):
            raise self._broken(f"its version {version} is not 2 or 3")
        tensors, facts = self._number("Q"), self._number("Q")
        if not 1 <= tensors <= MOST_TENSORS:
            raise self._broken(f"it claims {tensors} tensors; 1 to {MOST_TENSORS} are read")
        if facts > MOST_FACTS:
            raise self._broken(f"it claims {facts} facts; at most {MOST_FACTS} are read")
        metadata: dict[str, str] = {}
        for _ in range(facts):
            key = self._text(MOST_NAME)
            if key in metadata:
                raise self._broken("it states a fact twice")
            kind = self._number("I")
            if key == _ALIGNMENT and kind != _UINT32:
                raise self._broken("its alignment is impossible")
            metadata[key] = self._value(kind)
        entries = dict(self._entry() for _ in range(tensors))
        if len(entries) != tensors:
            raise self._broken("two of its tensors have the same name")
        self._check_spans(entries, self._alignment(metadata))
        return Header(entries, metadata, self._size)

    def _value(self, kind: int) -> str:
        """A fact as text; an array is stepped over and told by its length."""
        if kind == _STRING:
            return self._text(MOST_HEADER)[:MOST_SHOWN]
        if kind != _ARRAY:
            return str(self._number(self._format(kind)))
        of, count = self._number("I"), self._number("Q")
        if of == _ARRAY:
            raise self._broken("an array of arrays is among its facts")
        if count > MOST_HEADER:
            raise self._broken(f"one of its facts claims {count} values")
        if of == _STRING:
            for _ in range(count):
                self._bytes(self._number("Q"))
        else:
            self._bytes(count * struct.calcsize(self._format(of)))
        return f"[{count}]"

    def _format(self, kind: int) -> str:
        if kind not in _NUMBERS:
            raise self._broken(f"one of its facts has the unknown type {kind}")
        return _NUMBERS[kind]

    def _entry(self) -> tuple[str, TensorEntry]:
        name = self._text(MOST_NAME)
        dimensions = self._number("I")
        if dimensions > MOST_DIMENSIONS:
            raise self._broken(f"a tensor claims {dimensions} dimensions")
        shape = tuple(self._number("Q") for _ in range(dimensions))
        kind, begin = self._number("I"), self._number("Q")
        if kind not in TYPES:
            raise self._broken(f"a tensor has the unknown type {kind}")
        title, elements, block = TYPES[kind]
        count = prod(shape)
        if max(prod(extent or 1 for extent in shape), begin) > MOST_EXTENT or (shape[0] if shape else 1) % elements:
            raise self._broken("a tensor has an impossible shape")
        return name, TensorEntry(title, shape[::-1], begin, begin + count // elements * block)

    def _alignment(self, metadata: Mapping[str, str]) -> int:
        alignment = int(metadata.get(_ALIGNMENT, _DEFAULT_ALIGNMENT))
        if not 8 <= alignment <= _MOST_ALIGNMENT or alignment % 8:
            raise self._broken("its alignment is impossible")
        return alignment

    def _check_spans(self, entries: Mapping[str, TensorEntry], alignment: int) -> None:
        """Tensors follow each other with no more than padding between them, and end within the file."""
        start = -(-self._place // alignment) * alignment
        place = 0
        for entry in sorted(entries.values(), key=lambda entry: (entry.begin, entry.end)):
            if entry.begin != -(-place // alignment) * alignment:
                raise self._broken("its tensors overlap" if entry.begin < place else "its tensors lie apart")
            place = entry.end
        if start + place > self._size:
            missing = start + place - self._size
            raise self._broken(f"it is cut off: {missing} bytes of its tensors are missing")
        if self._size - start - place >= alignment:
            raise self._broken("bytes follow its last tensor and belong to nothing")

    def _text(self, most: int) -> str:
        length = self._number("Q")
        if length > most:
            raise self._broken(f"a name or text claims {length} bytes")
        try:
            return self._bytes(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self._broken("a name in it is not UTF-8") from None

    def _number(self, form: str) -> int:
        (value,) = struct.unpack(f"<{form}", self._bytes(struct.calcsize(form)))
        return value  # type: ignore[no-any-return]

    def _bytes(self, count: int) -> bytes:
        if count > MOST_HEADER - self._place:
            raise self._broken(f"its header is longer than {MOST_HEADER} bytes")
        data = self._file.read(count) if count <= self._size - self._place else b""
        if len(data) != count:
            raise self._broken("it is cut off inside its header")
        self._place += count
        return data

    def _broken(self, reason: str) -> ModelProblem:
        return ModelProblem(f"{self._name} is no sound GGUF file: {reason}.", COPY_AGAIN)
