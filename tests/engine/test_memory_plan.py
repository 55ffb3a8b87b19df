"""The plan for a card's memory: the quickest way that fits, told in words, and never more than there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.engine.memory_plan import AUTO, CHOICES, EIGHT_BIT, SPARE, STREAMED, WHOLE, Need, plan_for

GIB = 2**30
SIZES = st.integers(min_value=0, max_value=200 * GIB)
WAYS = [choice for choice in CHOICES if choice != AUTO]


@st.composite
def needs(draw: st.DrawFn) -> Need:
    denoiser, text, vae = draw(SIZES), draw(SIZES), draw(SIZES)
    block = draw(st.integers(min_value=0, max_value=max(denoiser, text, vae)))
    return Need(denoiser=denoiser, text=text, vae=vae, block=block, stepping=draw(SIZES), decoding=draw(SIZES))


#: FLUX.1 dev in bfloat16 at 1024 × 1024.
FLUX = Need(denoiser=24 * GIB, text=10 * GIB, vae=GIB // 6, block=GIB * 2 // 3, stepping=2 * GIB, decoding=4 * GIB)


@given(needs(), SIZES)
def test_a_plan_fits_or_is_the_smallest_there_is(need: Need, free: int) -> None:
    plan = plan_for(need, free)
    if plan.peak + SPARE > free:
        assert plan.peak == min(plan_for(need, free, way).peak for way in WAYS)


@given(needs(), SIZES, SIZES)
def test_more_memory_never_means_a_slower_way(need: Need, free: int, more: int) -> None:
    small, large = plan_for(need, free), plan_for(need, free + more)
    if small.peak + SPARE <= free:
        assert WAYS.index(large.way) <= WAYS.index(small.way)


@given(needs(), SIZES, st.sampled_from(WAYS))
def test_an_artists_wish_is_kept(need: Need, free: int, wanted: str) -> None:
    assert plan_for(need, free, wanted).way == wanted


@given(needs(), SIZES)
def test_whatever_is_not_the_plain_way_is_said(need: Need, free: int) -> None:
    plan = plan_for(need, free)
    assert bool(plan.words) == (plan.way != WHOLE or plan.tiled)


@given(needs())
def test_room_for_everything_means_everything_on_the_card(need: Need) -> None:
    plan = plan_for(need, need.weights + need.stepping + need.decoding + SPARE)
    assert (plan.way, plan.tiled, plan.words) == (WHOLE, False, "")


@pytest.mark.parametrize(
    ("card", "way"), [(48, "whole"), (32, "text apart"), (26, "streamed"), (16, "streamed"), (8, "streamed")]
)
def test_flux_on_cards_of_today(card: int, way: str) -> None:
    assert plan_for(FLUX, card * GIB).way == way


def test_eight_bits_are_an_artists_choice_where_streaming_fits() -> None:
    plan = plan_for(FLUX, 16 * GIB, EIGHT_BIT)
    assert plan.peak <= 16 * GIB
    assert "in 8 bits, so pictures differ a little" in plan.words
    assert plan_for(FLUX, 16 * GIB).way == STREAMED


def test_an_unknown_wish_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="auto, whole"):
        plan_for(FLUX, GIB, "magic")
