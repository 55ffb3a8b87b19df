"""Frames: what is sent arrives, and nothing a broken peer sends can do harm."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.protocol.framing import MAGIC, FrameError, Stream
from imagegen_desktop.protocol.messages import Channel, Generate, Image, Preview, Step

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
GENERATE = Generate(job="a", index=0, request={"prompt": "ü"}, model_path="m", family="sd1", image=b"123")
HEADS = st.dictionaries(st.text(max_size=8).filter(lambda key: key != "blobs"), JSON, max_size=5)


def round_trip(head: dict[str, Any], blobs: tuple[bytes, ...]) -> Any:
    wire = io.BytesIO()
    Stream(wire, wire).send(head, blobs)
    wire.seek(0)
    return Stream(wire, wire).receive()


@given(HEADS, st.lists(st.binary(max_size=200), max_size=4).map(tuple))
def test_what_is_sent_arrives(head: dict[str, Any], blobs: tuple[bytes, ...]) -> None:
    assert round_trip(head, blobs) == (head, blobs)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_a_frame_error(data: bytes) -> None:
    wire = io.BytesIO(data)
    try:
        Stream(wire, wire).receive()
    except FrameError:
        pass


@pytest.mark.parametrize(
    "head",
    [
        b"[]",
        b"{",
        b'{"blobs":[-1]}',
        b'{"blobs":[4294967296000]}',
        b'{"blobs":"x"}',
        b"{}",
        b'{"blobs":[true]}',
        b"[" * 5000,
    ],
)
def test_lying_heads_are_refused_before_anything_is_allocated(head: bytes) -> None:
    wire = io.BytesIO(struct.pack(">II", MAGIC, len(head)) + head)
    with pytest.raises(FrameError):
        Stream(wire, wire).receive()


def test_a_giant_head_is_refused() -> None:
    with pytest.raises(FrameError):
        Stream(io.BytesIO(struct.pack(">II", MAGIC, 2**31)), io.BytesIO()).receive()


def test_a_stream_that_ends_between_frames_ends_cleanly_and_inside_one_does_not() -> None:
    assert Stream(io.BytesIO(), io.BytesIO()).receive() is None
    wire = io.BytesIO()
    Stream(wire, wire).send({"a": 1}, (b"12345",))
    for length in range(1, len(wire.getvalue())):
        with pytest.raises(FrameError):
            Stream(io.BytesIO(wire.getvalue()[:length]), io.BytesIO()).receive()


@pytest.mark.parametrize(
    "message",
    [
        Step(job="a", index=0, step=1, steps=20, seconds=0.5),
        Preview(job="a", index=0, step=1, width=1, height=1, pixels=b"abc"),
        Image(job="a", index=0, seed=2**64 - 1, width=1, height=1, seconds=1.0, notes=["x"], pixels=b"abc"),
        GENERATE,
    ],
)
def test_messages_round_trip(message: Any) -> None:
    wire = io.BytesIO()
    Channel(Stream(wire, wire)).send(message)
    wire.seek(0)
    assert Channel(Stream(wire, wire)).receive() == message


def test_messages_that_travel_together_arrive_one_by_one() -> None:
    step = Step(job="a", index=0, step=1, steps=20, seconds=0.5)
    told = [Preview(job="a", index=0, step=1, width=1, height=1, pixels=b"abc"), step, GENERATE]
    wire = io.BytesIO()
    Channel(Stream(wire, wire)).send(*told)
    wire.seek(0)
    channel = Channel(Stream(wire, wire))
    assert [channel.receive() for _ in range(4)] == [*told, None]


@pytest.mark.parametrize(
    ("messages", "blobs"),
    [
        ([{"type": "Quit"}], 0),
        ([{"type": "Step"}], 0),
        ([{"type": "Heartbeat", "evil": 1}], 0),
        ([{}], 0),
        ([{"type": "Heartbeat"}], 1),
        ([{"type": "Preview", "job": "a", "index": 0, "step": 1, "width": 1, "height": 1}], 0),
        (["Heartbeat"], 0),
        ([], 0),
        ({"type": "Heartbeat"}, 0),
        (None, 0),
    ],
)
def test_unknown_messages_are_frame_errors(messages: Any, blobs: int) -> None:
    wire = io.BytesIO()
    Stream(wire, wire).send({"messages": messages}, [b"x"] * blobs)
    wire.seek(0)
    with pytest.raises(FrameError):
        Channel(Stream(wire, wire)).receive()
