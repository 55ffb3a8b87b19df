"""Both header readers: whatever the bytes, they answer with a sound header or with the one error, soon."""

from __future__ import annotations

import json
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from imagegen_desktop.domain.errors import ModelProblem
from imagegen_desktop.formats.gguf import read_gguf
from imagegen_desktop.formats.safetensors import BITS, Header, read_safetensors
from tests.weights.headers import gguf, safetensors, text_fact

Reader = Callable[[Path], Header]
SOUND: dict[str, tuple[bytes, Reader]] = {
    "safetensors": (
        save({"a": torch.ones(2, 3), "b": torch.zeros(0), "c.weight": torch.ones(5).half()}, {"format": "pt"}),
        read_safetensors,
    ),
    "gguf": (
        gguf({"a": (32, 2), "b.weight": (7,)}, [text_fact("general.name", "x"), ("n", 4, struct.pack("<I", 3))]),
        read_gguf,
    ),
}
_SETTINGS = settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
each_format = pytest.mark.parametrize("kind", SOUND)


def outcome(path: Path, read: Reader) -> Header | None:
    """The header, or None when it was refused; anything else fails the test."""
    try:
        return read(path)
    except ModelProblem:
        return None


@each_format
def test_a_sound_file_is_read(tmp_path: Path, kind: str) -> None:
    data, read = SOUND[kind]
    (tmp_path / "file").write_bytes(data)
    header = read(tmp_path / "file")
    assert {name: entry.shape for name, entry in header.tensors.items()}["a"] == {
        "safetensors": (2, 3),
        "gguf": (2, 32),
    }[kind]
    assert header.size_bytes == len(data)


@each_format
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    data, read = SOUND[kind]
    most = 200 if request.config.getoption("--faults") > 5 else 20
    padding = 32 if kind == "gguf" else 1  # what pads the last tensor may be missing
    places = range(len(data) - padding)
    for place in random.Random(5).sample(places, min(most, len(places))):
        (tmp_path / "file").write_bytes(data[:place])
        assert outcome(tmp_path / "file", read) is None, place


@each_format
@_SETTINGS
@given(data=st.data())
def test_changed_bytes_never_surprise(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    content, read = SOUND[kind]
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "file").write_bytes(bytes(changed))
    start = time.monotonic()
    header = outcome(tmp_path / "file", read)
    assert time.monotonic() - start < 2
    if kind == "safetensors" and header is not None:
        assert set(_by_the_library(tmp_path / "file")) == set(header.tensors)


@each_format
@_SETTINGS
@given(content=st.binary(max_size=400))
def test_any_bytes_never_surprise(tmp_path: Path, kind: str, content: bytes) -> None:
    starts = {"safetensors": struct.pack("<Q", len(content)), "gguf": b"GGUF\3\0\0\0"}
    (tmp_path / "file").write_bytes(starts[kind] + content)
    outcome(tmp_path / "file", SOUND[kind][1])


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(list(BITS)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_ENTRIES = _VALUES | st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(list(BITS)) | _VALUES,
        "shape": st.lists(st.integers(-1, 2**70), max_size=4) | _VALUES,
        "data_offsets": st.lists(st.integers(-1, 2**70), min_size=2, max_size=2) | _VALUES,
    }
)


@_SETTINGS
@given(
    header=st.dictionaries(st.text(max_size=8) | st.just("__metadata__"), _ENTRIES, max_size=4), size=st.integers(0, 99)
)
def test_any_header_is_judged_as_strictly_as_the_library_does(
    tmp_path: Path, header: dict[str, object], size: int
) -> None:
    (tmp_path / "file").write_bytes(safetensors(json.dumps(header).encode(), size))
    found = outcome(tmp_path / "file", read_safetensors)
    if found is not None:
        assert set(_by_the_library(tmp_path / "file")) == set(found.tensors)


def _by_the_library(path: Path) -> list[str]:
    """The names the reference library finds; what we let pass must be sound to it as well."""
    try:
        with safe_open(path, "pt") as opened:
            return list(opened.keys())
    except SafetensorError as error:
        pytest.fail(f"the library refuses what we let pass: {error}")


def test_a_header_of_sixty_thousand_tensors_takes_no_two_seconds(tmp_path: Path) -> None:
    header = {f"t{place}": {"dtype": "U8", "shape": [1], "data_offsets": [place, place + 1]} for place in range(60_000)}
    (tmp_path / "file").write_bytes(safetensors(header, 60_000))
    start = time.process_time()
    assert len(read_safetensors(tmp_path / "file").tensors) == 60_000
    assert time.process_time() - start < 2


def test_half_a_pair_of_surrogates_is_no_name(tmp_path: Path) -> None:
    """Python's JSON takes it, the library does not; a whole pair is a letter like any other."""
    described = b'{"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}'
    (tmp_path / "file").write_bytes(safetensors(rb'{"a\ud83d": ' + described + b"}", 1))
    assert outcome(tmp_path / "file", read_safetensors) is None
    (tmp_path / "file").write_bytes(safetensors(rb'{"a\ud83d\ude00": ' + described + b"}", 1))
    assert list(read_safetensors(tmp_path / "file").tensors) == ["a😀"]


@pytest.mark.parametrize(("kind", "value"), [(8, text_fact("", "32")[2]), (10, struct.pack("<Q", 32))])
def test_an_alignment_of_another_type_is_refused(tmp_path: Path, kind: int, value: bytes) -> None:
    """The library takes one type only."""
    (tmp_path / "file").write_bytes(gguf({"a": (8,)}, [("general.alignment", kind, value)]))
    assert outcome(tmp_path / "file", read_gguf) is None


def test_an_empty_tensor_may_not_claim_what_no_memory_can_index(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(gguf({"a": (0, 2**47, 2**47)}))
    assert outcome(tmp_path / "file", read_gguf) is None
    header = {"a": {"dtype": "U8", "shape": [0, 2**47, 2**47], "data_offsets": [0, 0]}}
    (tmp_path / "file").write_bytes(safetensors(header, 0))
    assert outcome(tmp_path / "file", read_safetensors) is None
