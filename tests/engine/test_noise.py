"""Variations of a seed, and pictures whose edges meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from imagegen_desktop.engine.noise import between
from tests.engine import bare
from tests.engine.engine_child import EngineChild, command, request, task_request

Tiny = Callable[[str], Path]


@pytest.mark.parametrize("sampler", ["Euler", "Euler a"])
def test_the_ends_of_a_variation_are_the_two_seeds(engine: EngineChild, tiny: Tiny, sampler: str) -> None:
    wish = request(seed=3, variation_seed=4, sampler=sampler)
    for strength, seed in ((0.0, 3), (1.0, 4)):
        image = engine.image(command(replace(wish, variation_strength=strength), tiny("sd1")))
        assert image.pixels == bare.pixels(request(seed=seed, sampler=sampler), tiny("sd1"))
        assert image.seed == 3


@pytest.mark.parametrize("kind", ["sd1", "sdxl", "sd3", "flux"])
@pytest.mark.parametrize("task", ["text", "image", "inpaint"])
def test_between_them_lie_other_pictures(engine: EngineChild, tiny: Tiny, kind: str, task: str) -> None:
    wish = task_request(task, seed=3, variation_seed=4, variation_strength=0.3)
    asked = command(wish, tiny(kind), family=kind)
    image = engine.image(asked)
    assert image.pixels == engine.image(asked).pixels
    base = engine.image(command(replace(wish, variation_seed=None, variation_strength=None), tiny(kind), family=kind))
    assert image.pixels != base.pixels
    assert base.pixels == bare.pixels(task_request(task, seed=3), tiny(kind)), "nothing stays behind"


def test_a_variation_is_as_strong_a_noise() -> None:
    one, two = torch.randn(1, 4, 64, 64), torch.randn(1, 4, 64, 64)
    assert float(between(one, two, 0.5).std()) == pytest.approx(1.0, abs=0.05)
    assert torch.equal(between(one, one, 0.5), one)


def test_variations_share_a_seed_and_count_on_with_their_own() -> None:
    wish = request(seed=5, variation_seed=2**64 - 1, variation_strength=0.2, count=3)
    assert [(wish.only(i).seed, wish.only(i).variation_seed) for i in range(3)] == [(5, 2**64 - 1), (5, 0), (5, 1)]
    assert [replace(wish, variation_strength=0.0).only(i).seed for i in range(3)] == [5, 6, 7]


@pytest.mark.parametrize("kind", ["sd1", "sdxl", "starter"])
def test_after_a_seamless_picture_all_is_as_before(engine: EngineChild, tiny: Tiny, kind: str) -> None:
    wish = request()
    plain = bare.pixels(wish, tiny(kind))
    seamless = {
        tiling: engine.image(command(replace(wish, tiling=tiling), tiny(kind), family=kind)).pixels
        for tiling in ("x", "y", "both")
    }
    assert len({plain, *seamless.values()}) == 4
    assert engine.image(command(wish, tiny(kind), family=kind)).pixels == plain


def test_a_model_without_convolutions_says_it_cannot(engine: EngineChild, tiny: Tiny) -> None:
    failed = engine.refusal(command(request(tiling="x"), tiny("flux"), family="flux"))
    assert failed.message.startswith("tiling: 'x' is not possible")
