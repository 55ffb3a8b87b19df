"""Wildcards: every seed its own words, the same for ever, and no prompt that hangs or breaks the program."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.wildcards import Tables, has_wildcards, unknown_names
from imagegen_desktop.domain.wildcards import resolve as resolve_all

TABLES = {
    "colours": ["red", "blue", "3::green"],
    "animals/cats": ["a {big|small} lynx", "a __colours__ tomcat"],
    "animals/dogs": ["a poodle"],
}


def resolve(text: str, seed: int, tables: Tables = TABLES, salt: str = "") -> str:
    [resolved] = resolve_all(text, [seed], tables, salt)
    return resolved


def outcomes(text: str, count: int = 300) -> Counter[str]:
    return Counter(resolve_all(text, range(count), TABLES))


PIECES = ["{", "}", "|", "$$", "2$$", "1-3$$", "::", "3::", "__", "__colours__", "__animals/*__", "\\", "a", " ", "("]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join), st.integers(0, 2**64 - 1))
def test_any_text_becomes_the_same_text_for_the_same_seed(text: str, seed: int) -> None:
    assert resolve(text, seed) == resolve(text, seed)


@given(st.text(st.characters(exclude_characters="{_"), max_size=50))
def test_text_without_wildcards_stays(text: str) -> None:
    assert not has_wildcards(text)
    assert resolve(text, 1) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{a|b}", {"a", "b"}),
        ("a {red|blue} car", {"a red car", "a blue car"}),
        ("{a|{b|c}}", {"a", "b", "c"}),
        ("{a|}", {"a", ""}),
        ("{2$$a|b}", {"a, b", "b, a"}),
        ("{2$$ and $$a|b}", {"a and b", "b and a"}),
        ("{1-2$$a|b}", {"a", "b", "a, b", "b, a"}),
        ("{9$$a|b}", {"a, b", "b, a"}),
        ("{2-$$a|b}", {"a, b", "b, a"}),
        ("{-1$$a|b}", {"a", "b"}),
        ("{2$$__colours__}", {f"{a}, {b}" for a, b in permutations(["red", "blue", "green"], 2)}),
        ("__colours__", {"red", "blue", "green"}),
        ("__Colours__ x", {"red x", "blue x", "green x"}),
        ("__animals/dogs__", {"a poodle"}),
        (
            "__animals/*__",
            {"a poodle", "a big lynx", "a small lynx", "a red tomcat", "a blue tomcat", "a green tomcat"},
        ),
        ("{plain}", {"{plain}"}),
        ("{}", {"{}"}),
        ("{a|b", {"{a|b"}),
        ("a|b}", {"a|b}"}),
        (r"\{a|b\}", {r"\{a|b\}"}),
        ("__nobody__", {"__nobody__"}),
        ("snake__case", {"snake__case"}),
        ("{__colours__}", {"{red}", "{blue}", "{green}"}),
        ("{(a:1.2)|[b:c:0.5]}", {"(a:1.2)", "[b:c:0.5]"}),
    ],
)  # fmt: skip
def test_what_a_prompt_can_become(text: str, expected: set[str]) -> None:
    assert set(outcomes(text)) == expected


def test_weights_say_how_often() -> None:
    counts = outcomes("{3::often|rarely}", 2000)
    assert 0.70 < counts["often"] / 2000 < 0.80
    assert set(outcomes("{0::never|always}")) == {"always"}
    assert 0.5 < outcomes("__colours__", 1000)["green"] / 1000 < 0.7


def test_a_seed_means_the_same_in_every_version() -> None:
    text = "a {red|green|blue} __animals/*__, {2$$x|y|z}"
    assert [resolve(text, seed) for seed in (0, 1, 2**64 - 1)] == [
        "a red a poodle, z, y",
        "a green a blue tomcat, y, z",
        "a blue a green tomcat, x, y",
    ]


def test_both_prompts_choose_apart() -> None:
    text = "{a|b|c|d}"
    assert any(resolve(text, seed) != resolve(text, seed, salt="negative") for seed in range(10))


def test_a_circle_is_one_clear_line() -> None:
    circle = {"a": ["x", "__b__"], "b": ["{y|__a__}"]}
    with pytest.raises(BadInput) as caught:
        resolve("__a__", 1, circle)
    assert "a → b → a" in caught.value.message
    assert "\n" not in caught.value.message
    assert resolve("{x|y}", 1, circle) in ("x", "y"), "a circle nobody asks for harms nobody"


def test_a_text_without_end_is_refused() -> None:
    doubling = {f"n{n}": [f"__n{n + 1}__ __n{n + 1}__"] for n in range(40)} | {"n40": ["x" * 100]}
    with pytest.raises(BadInput):
        resolve("__n0__", 1, doubling)


@pytest.mark.parametrize("piece", ["{", "{a|", "__", "{2$$", "}", "_ "])
def test_long_prompts_stay_quick(piece: str) -> None:
    resolve(piece * (50_000 // len(piece)), 1)


def test_unknown_names_are_told() -> None:
    assert unknown_names("__colours__ __nobody__ {a|__who__}", TABLES) == ["nobody", "who"]
