"""The language of prompts: nothing is lost, and nothing is an error."""

from __future__ import annotations

import time

import pytest
from hypothesis import given

from imagegen_desktop.domain.prompt_meaning import said_at
from imagegen_desktop.domain.prompt_syntax import Break, Parts, loose_brackets, parse, printed
from tests.prompt_trees import WILD, trees


@given(WILD)
def test_any_text_is_printed_as_it_was_written(text: str) -> None:
    assert printed(parse(text)) == text


@given(trees())
def test_any_tree_comes_back_from_its_text(tree: Parts) -> None:
    assert parse(printed(tree)) == tree


def test_break_is_a_word_of_its_own() -> None:
    assert Break() in parse("x\nBREAK\ny")
    assert Break() not in parse("BREAKFAST")


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
