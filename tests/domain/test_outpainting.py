"""Sides to extend: read from text, rounded up to what a model asks for, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.outpainting import Sides, sides_from

PIXELS = st.integers(0, 700)


@given(st.builds(Sides, left=PIXELS, top=PIXELS, right=PIXELS, bottom=PIXELS), st.integers(1, 900), st.integers(1, 900))
def test_the_picture_grows_as_asked_or_a_little_more(sides: Sides, width: int, height: int) -> None:
    if not sides:
        return
    for multiple in (8, 16, 32):
        fitted = sides.fitted(width, height, multiple)
        assert all(side % multiple == 0 for side in fitted.size_of(width, height))
        for name in ("left", "top", "right", "bottom"):
            assert 0 <= getattr(fitted, name) - getattr(sides, name) < multiple


@given(st.dictionaries(st.sampled_from(["left", "top", "right", "bottom"]), PIXELS, min_size=1))
def test_text_says_the_sides(wanted: dict[str, int]) -> None:
    assert sides_from(", ".join(f"{name}={pixels}" for name, pixels in wanted.items())) == Sides(**wanted)


@pytest.mark.parametrize("text", ["", "left", "left=", "left=-3", "left=x", "up=3", "left=1,left=2", "left=²"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="left=128"):
        sides_from(text)


def test_nothing_and_too_much_are_refused() -> None:
    with pytest.raises(BadInput, match="at least one side"):
        Sides().fitted(64, 64, 8)
    with pytest.raises(BadInput, match="8192"):
        Sides(left=8000).fitted(640, 64, 8)
    with pytest.raises(BadInput, match="8192"):
        sides_from("left=9000")
