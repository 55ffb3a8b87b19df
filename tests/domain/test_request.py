"""GenerationRequest: what is possible, what is not, and that it survives its own JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.request import GenerationRequest, LoraWeight, SourceImage, apply_style, validate

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=60)
SOURCES = st.builds(
    SourceImage, sha256=st.just("0" * 64), width=st.integers(1, 999), height=st.integers(1, 999), name=WORDS
)
REQUESTS = st.builds(
    GenerationRequest,
    prompt=WORDS.filter(lambda text: text.strip() != ""),
    negative_prompt=WORDS,
    width=st.none() | st.integers(1, 256).map(lambda n: n * 8),
    height=st.none() | st.integers(1, 256).map(lambda n: n * 8),
    steps=st.none() | st.integers(1, 1000),
    guidance=st.none() | st.floats(0, 100),
    seed=st.none() | st.integers(0, 2**64 - 1),
    count=st.integers(1, 100),
    prompts=st.lists(WORDS, max_size=2).map(tuple),
    negative_prompts=st.lists(WORDS, max_size=2).map(tuple),
    variation_strength=st.none() | st.floats(0, 1),
    clip_skip=st.none() | st.integers(1, 12),
    tiling=st.sampled_from([None, "x", "y", "both"]),
    image=st.none() | SOURCES,
    loras=st.lists(st.builds(LoraWeight, name=WORDS, weight=st.floats(-2, 2)), max_size=3).map(tuple),
)


@given(REQUESTS)
def test_a_request_survives_json(request: GenerationRequest) -> None:
    assert GenerationRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"width": 0}, "width"),
        ({"width": 63}, "width"),
        ({"height": -8}, "height"),
        ({"height": 10**9}, "height"),
        ({"width": 8192, "height": 8192}, "size"),
        ({"steps": 0}, "steps"),
        ({"steps": 10**6}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"guidance": math.nan}, "guidance"),
        ({"guidance": math.inf}, "guidance"),
        ({"guidance": -1}, "guidance"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"count": 0}, "count"),
        ({"strength": 0.5}, "strength"),
        ({"clip_skip": 0}, "clip skip"),
        ({"clip_skip": 13}, "clip skip"),
        ({"tiling": "z"}, "tiling"),
        ({"variation_strength": 1.1}, "variation strength"),
        ({"variation_seed": 5}, "variation seed"),
        ({"variation_seed": -1, "variation_strength": 0.5}, "variation seed"),
        ({"prompts": ("a\0b",)}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "a\0b"}, "prompt"),
        ({"prompt": "x" * 100_000}, "prompt"),
        ({"prompt": "\ud800"}, "prompt"),
    ],
)
def test_bad_input_names_the_field_the_value_and_what_is_allowed(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        validate(GenerationRequest(**({"prompt": "a cat"} | change)))
    assert caught.value.field == field
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200


def test_unknown_settings_and_newer_versions_are_refused() -> None:
    with pytest.raises(BadInput):
        GenerationRequest.from_dict({"prompt": "a", "evil": 1})
    with pytest.raises(BadInput):
        GenerationRequest.from_dict({"prompt": "a", "version": 99})


def test_seeds_count_on_and_wrap() -> None:
    request = GenerationRequest(prompt="a", seed=2**64 - 1, count=3)
    assert [request.seed_of(index) for index in range(3)] == [2**64 - 1, 0, 1]
    assert request.only(1).seed == 0
    assert request.only(1).count == 1


@pytest.mark.parametrize(
    ("prompt", "template", "full"),
    [
        ("a cat", "", "a cat"),
        ("a cat", "{prompt}, neon", "a cat, neon"),
        ("a {cat}", "art of {prompt}", "art of a {cat}"),
        ("a cat", "neon", "a cat, neon"),
    ],
)
def test_a_style_takes_the_prompt_into_its_words(prompt: str, template: str, full: str) -> None:
    assert apply_style(prompt, template) == full
