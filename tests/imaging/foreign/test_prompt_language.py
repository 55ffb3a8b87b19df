"""A prompt's brackets travel through the text other programs read, to the character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.imaging.foreign.a1111 import read_a1111
from imagegen_desktop.imaging.recipe import Recipe, parameters_text

PIECES = [
    "(red:1.2)",
    "[a:b:0.5]",
    "[a|b]",
    "((x))",
    "BREAK",
    r"\(",
    "\n",
    ", ",
    "(",
    "]",
    ":",
    "{a|b}",
    "__c__",
    "word",
]
PROMPTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map(" ".join).map(str.strip).filter(bool)


@given(PROMPTS, PROMPTS)
def test_our_text_reads_back_as_it_was_written(prompt: str, negative: str) -> None:
    request = GenerationRequest(prompt=prompt, negative_prompt=negative, steps=20, seed=7, guidance=4.0, clip_skip=2)
    found = read_a1111(parameters_text(Recipe(request=request)))
    assert found is not None
    read = found.as_request()
    assert [line.rstrip() for line in read.prompt.split("\n")] == [line.rstrip() for line in prompt.split("\n")]
    assert read.clip_skip == 2


def test_what_other_programs_say_of_noise_and_edges_is_taken_over() -> None:
    text = (
        "a (red:1.3) [cat|dog] BREAK [day:night:0.5]\nNegative prompt: [blurry], (bad:1.4)\nSteps: 20, Sampler: Euler, "
        "CFG scale: 7, Seed: 1, Size: 512x768, Variation seed: 99, Variation seed strength: 0.3, Clip skip: 2, "
        "Tiling: True, Version: v1.10.1"
    )
    found = read_a1111(text)
    assert found is not None
    assert found.ignored == ()
    request = found.as_request()
    assert request.prompt == "a (red:1.3) [cat|dog] BREAK [day:night:0.5]"
    assert request.negative_prompt == "[blurry], (bad:1.4)"
    assert (request.variation_seed, request.variation_strength) == (99, 0.3)
    assert (request.clip_skip, request.tiling) == (2, "both")
