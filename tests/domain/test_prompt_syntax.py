"""The language of prompts: nothing is lost, nothing is an error, and every bracket weighs what artists expect."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.prompt_syntax import (
    Break,
    Lessened,
    Lora,
    Node,
    Parts,
    Segment,
    Switched,
    Turns,
    Weighted,
    Words,
    changes_over_time,
    loose_brackets,
    lora_tags,
    parse,
    plain_text,
    printed,
    said_at,
)
from imagegen_desktop.domain.request import LoraWeight

PIECES = ["(", ")", "[", "]", ":", "|", "\\", "BREAK", " ", "\n", "a", "0.5", "8", "1.2", "-3", "<lora:x:0.5>", "<"]
WILD = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40).map("".join)


def trees(depth: int = 3) -> st.SearchStrategy[Parts]:
    """Well-formed trees, no two words side by side."""
    words = st.sampled_from(["a", "red car ", "ä,", r"\(x\)", "10"]).map(Words)
    leaves: st.SearchStrategy[Node] = words | st.just(Lora("<lora:ink:0.8>", "ink", 0.8))
    nodes = leaves
    for _ in range(depth):
        parts = st.lists(nodes, max_size=3).map(_joined)
        timed = parts.filter(lambda each: not (len(each) == 1 and each[0] == Words("10")))
        nodes = (
            leaves
            | st.builds(Weighted, timed, st.none() | st.sampled_from(["1.2", "-1", " .5 ", "0"]))
            | st.builds(Lessened, timed)
            | st.builds(Switched, st.none() | timed, timed, st.sampled_from(["0.5", "8", " 3"]))
            | st.lists(timed, min_size=2, max_size=3).map(lambda options: Turns(tuple(options)))
        )
    return st.lists(nodes, max_size=4).map(_joined)


def _joined(nodes: list[Node]) -> Parts:
    return parse(printed(tuple(nodes))) if all(isinstance(node, Words) for node in nodes) else tuple(_apart(nodes))


def _apart(nodes: list[Node]) -> list[Node]:
    kept: list[Node] = []
    for node in nodes:
        if not (kept and isinstance(kept[-1], Words) and isinstance(node, Words)):
            kept.append(node)
    return kept


@given(WILD)
def test_any_text_is_printed_as_it_was_written(text: str) -> None:
    assert printed(parse(text)) == text


@given(trees())
def test_any_tree_comes_back_from_its_text(tree: Parts) -> None:
    assert parse(printed(tree)) == tree


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
    assert Break() in parse("x\nBREAK\ny")


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


def test_brackets_without_a_partner_are_found() -> None:
    assert loose_brackets("a (b [c] d") == [2]
    assert loose_brackets("a) (b)") == [1]
    assert loose_brackets(r"\( (fine) [a:b:3]") == []


@pytest.mark.parametrize("piece", ["(", "[", "(a", "[a:", "a)", " ", "<lora:", "B", "\\", "[a|", ":1"])
def test_long_prompts_stay_quick(piece: str) -> None:
    text = piece * (99_999 // len(piece))
    began = time.perf_counter()
    assert printed(parse(text)) == text
    said_at(parse(text))
    assert time.perf_counter() - began < 5
