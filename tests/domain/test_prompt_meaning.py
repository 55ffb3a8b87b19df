"""What prompts say: every bracket weighs what artists expect, and words change at the steps they name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.prompt_meaning import Segment, changes_over_time, lora_tags, plain_text, said_at
from imagegen_desktop.domain.prompt_syntax import Parts, Weighted, parse
from imagegen_desktop.domain.request import LoraWeight
from tests.prompt_trees import WILD, trees


@given(WILD, st.integers(0, 30))
def test_any_text_says_something_at_every_step(text: str, step: int) -> None:
    for chunk in said_at(parse(text), step, 30, 30):
        assert all(segment.text for segment in chunk)


@given(trees())
def test_a_weight_of_one_changes_nothing(tree: Parts) -> None:
    assert said_at((Weighted(tree, "1.0"),)) == said_at(tree)


def weights(text: str, step: int = 0, steps: int = 20) -> list[tuple[str, float]]:
    return [(s.text, s.weight) for chunk in said_at(parse(text), step, steps, steps) for s in chunk]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat", [("a cat", 1.0)]),
        ("a (big) cat", [("a ", 1.0), ("big", 1.1), (" cat", 1.0)]),
        ("(cat:1.3)", [("cat", 1.3)]),
        ("(cat: 1.3 )", [("cat", 1.3)]),
        ("(cat:-0.5)", [("cat", -0.5)]),
        ("[cat]", [("cat", round(1 / 1.1, 9))]),
        ("([cat])", [("cat", 1.0)]),
        ("((cat))", [("cat", 1.21)]),
        ("(a (red:2) cat:1.5)", [("a ", 1.5), ("red", 3.0), (" cat", 1.5)]),
        (r"\(a\) cat", [("(a) cat", 1.0)]),
        ("(a:b)", [("a:b", 1.1)]),
        ("(a:b:1.2)", [("a:b", 1.2)]),
        ("(a|b)", [("a|b", 1.1)]),
        ("a | b: c", [("a | b: c", 1.0)]),
        ("(a", [("a", 1.1)]),
        ("a) b]", [("a) b]", 1.0)]),
        ("a:1.2)", [("a:1.2)", 1.0)]),
        ("(a:1.2.3)", [("a:1.2.3", 1.1)]),
        ("(a [b) c", [("a ", 1.1), ("b c", 1.0)]),
        ("()", []),
        ("x <lora:ink:0.8> y", [("x  y", 1.0)]),
        ("x <lora:ink:much> y", [("x <lora:ink:much> y", 1.0)]),
        ("BREAKFAST", [("BREAKFAST", 1.0)]),
    ],
)
def test_the_weights_artists_know(text: str, expected: list[tuple[str, float]]) -> None:
    assert weights(text) == [(words, pytest.approx(weight)) for words, weight in expected]


@pytest.mark.parametrize(
    ("text", "by_step"),
    [
        ("[red:blue:0.5]", {0: "red", 9: "red", 10: "blue", 19: "blue"}),
        ("[red:blue:8]", {7: "red", 8: "blue"}),
        ("[blue:8]", {7: "", 8: "blue"}),
        ("[red::8]", {7: "red", 8: ""}),
        ("[red|blue|tan]", {0: "red", 1: "blue", 2: "tan", 3: "red"}),
        ("[a|]", {0: "a", 1: ""}),
        ("[[a:b:4]:c:8]", {3: "a", 4: "b", 8: "c"}),
        ("[(a:1.2):b:4]", {3: "a", 4: "b"}),
        ("[a:b:0]", {0: "b"}),
        ("[a:b:c]", {0: "a:b:c"}),
        ("[a:b|c]", {0: "a:b|c"}),
    ],
)
def test_words_change_with_the_steps(text: str, by_step: dict[int, str]) -> None:
    for step, words in by_step.items():
        assert "".join(text for text, _ in weights(text, step)) == words, step


def test_steps_are_counted_as_planned() -> None:
    tree = parse("[a:b:10]")
    assert said_at(tree, 18, 39, 20) == said_at(parse("a")), "a sampler with two evaluations a step"
    assert said_at(tree, 20, 39, 20) == said_at(parse("b"))
    assert said_at(tree, 10, 12, 20) == said_at(parse("b")), "a picture to start from: only 12 of 20 are drawn"


def test_break_parts_the_text() -> None:
    assert said_at(parse("a BREAK (b)")) == ((Segment("a "),), (Segment(" "), Segment("b", 1.1)))


def test_what_changes_over_time_is_known_beforehand() -> None:
    assert changes_over_time(parse("a ((x [b:c:3]))"))
    assert changes_over_time(parse("[a|b]"))
    assert not changes_over_time(parse("a (b) [c] BREAK d"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a  cat | dog: two", "a  cat | dog: two"),
        ("a (red:1.3) [cat]", "a red cat"),
        ("[red:blue:0.5] car", "red car"),
        ("[blue:0.5] car", "blue car"),
        ("[red|blue] car", "red car"),
        ("a BREAK b", "a b"),
        (r"\(a\)", "(a)"),
        ("cat <lora:ink:1>", "cat"),
    ],
)
def test_a_model_without_weights_reads_the_words(text: str, plain: str) -> None:
    assert plain_text(text) == plain


def test_lora_tags_are_taken_out() -> None:
    prompt, loras = lora_tags("a cat, <lora:ink:0.8>, (wet <lora:rain>)")
    assert loras == (LoraWeight(name="ink", weight=0.8), LoraWeight(name="rain", weight=1.0))
    assert prompt == "a cat, , (wet )"
    assert lora_tags("a  cat ,") == ("a  cat ,", ())
