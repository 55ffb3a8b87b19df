"""The seal of our PNGs: it holds for what was written, and breaks with any byte."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.imaging.decode import Decoder
from imagegen_desktop.imaging.encode import encode_png
from imagegen_desktop.imaging.picture import Picture
from imagegen_desktop.imaging.recipe import Recipe
from imagegen_desktop.imaging.seal import hashed

RECIPE = Recipe(request=GenerationRequest(prompt="a fox", seed=3, width=6, height=4), image="i", job="j")
ROWS = bytes(range(72))
SEALED = encode_png(Picture(width=6, height=4, rgb=ROWS), RECIPE)


@pytest.mark.parametrize("alpha", [None, bytes(range(24)), b"\xff" * 24])
def test_it_vouches_for_what_a_decoder_finds(decoder: Decoder, alpha: bytes | None) -> None:
    data = encode_png(Picture(width=6, height=4, rgb=ROWS, alpha=alpha), RECIPE)
    sha256, pixels = hashed(data)
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert pixels == decoder.fingerprint(data, "it")
    assert pixels is not None
    assert pixels.pixels_sha256 == hashlib.sha256(ROWS).hexdigest()


@given(at=st.integers(0, len(SEALED) - 1), flip=st.integers(1, 255), kind=st.sampled_from(["change", "cut", "insert"]))
def test_any_change_breaks_it(at: int, flip: int, kind: str) -> None:
    changed = {
        "change": SEALED[:at] + bytes([SEALED[at] ^ flip]) + SEALED[at + 1 :],
        "cut": SEALED[:at],
        "insert": SEALED[:at] + bytes([flip]) + SEALED[at:],
    }[kind]
    if changed != SEALED:
        assert hashed(changed) == (hashlib.sha256(changed).hexdigest(), None)


@given(st.binary(max_size=300))
def test_strangers_bytes_have_none(data: bytes) -> None:
    assert hashed(data) == (hashlib.sha256(data).hexdigest(), None)


def test_a_picture_without_settings_has_none() -> None:
    assert hashed(encode_png(Picture(width=6, height=4, rgb=ROWS)))[1] is None
