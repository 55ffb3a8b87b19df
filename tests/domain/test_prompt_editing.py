"""Weights by key: what stands where the cursor is weighs more or less, and a way back is always the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.prompt_editing import weighed
from imagegen_desktop.domain.prompt_syntax import parse, printed


@pytest.mark.parametrize(
    ("text", "marked", "steps", "expected"),
    [
        ("a red cat", "red", 1, "a (red:1.1) cat"),
        ("a red cat", "red", -3, "a (red:0.7) cat"),
        ("a (red:1.1) cat", "red", 1, "a (red:1.2) cat"),
        ("a (red:1.1) cat", "red", -1, "a red cat"),
        ("a (red) cat", "red", 1, "a (red:1.2) cat"),
        ("a [red] cat", "red", 1, "a red cat"),
        ("a red cat", "red cat", 1, "a (red cat:1.1)"),
        ("a red cat", " red ", 1, "a (red:1.1) cat"),
        (r"a \(red) cat", "red", 1, r"a \((red:1.1)) cat"),
    ],
)
def test_the_selection_is_weighed(text: str, marked: str, steps: int, expected: str) -> None:
    start = text.index(marked)
    changed, begin, end = weighed(text, start, start + len(marked), steps)
    assert changed == expected
    assert changed[begin:end] == marked.strip()


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("a red cat", 3, "a (red:1.1) cat"),
        ("a red cat", 5, "a (red:1.1) cat"),
        ("(a red cat:1.3), fog", 4, "(a red cat:1.4), fog"),
        ("(a (red:2) cat:1.3)", 4, "(a (red:2.1) cat:1.3)"),
        ("", 0, ""),
        ("a , b", 2, "a , b"),
    ],
)
def test_without_a_selection_the_words_at_the_cursor_are_meant(text: str, place: int, expected: str) -> None:
    assert weighed(text, place, place, 1)[0] == expected


@given(st.text("ab (:1.)[]\\,", max_size=30), st.integers(0, 30), st.integers(0, 30), st.sampled_from([1, -1, 5]))
def test_any_place_in_any_text_is_safe(text: str, one: int, other: int, steps: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    changed, begin, stop = weighed(text, start, end, steps)
    assert 0 <= begin <= stop <= len(changed)
    assert printed(parse(changed)) == changed


@given(st.integers(-4, 20).filter(bool))
def test_the_way_back_is_the_way(steps: int) -> None:
    there = weighed("a red cat", 2, 5, steps)
    assert weighed(*there, -steps) == ("a red cat", 2, 5)
