"""Every setting changes the picture as its name says, judged by what is seen in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from starter_judging.shape_detector import find_shape, find_shapes, lab, stands_in_relation
from starter_world.vocabulary import rgb

from .conftest import Pixels, Studio

pytestmark = pytest.mark.slow

CIRCLE = "a red circle on a white background"


def colours(pictures: list[Pixels]) -> list[str]:
    return [found.colour if found else "" for found in map(find_shape, pictures)]


def shapes(pictures: list[Pixels]) -> list[str]:
    return [found.shape if found else "" for found in map(find_shape, pictures)]


def change(ones: list[Pixels], others: list[Pixels]) -> float:
    """Mean difference in levels of 0 … 255."""
    return float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(ones, others, strict=True)]))


def brightness(pictures: list[Pixels]) -> float:
    return float(np.mean(pictures))


@pytest.mark.parametrize("colour", ["red", "green", "blue", "yellow"])
def test_the_prompt_names_the_colour(studio: Studio, colour: str) -> None:
    assert colours(studio.draw(f"a {colour} circle on a white background")).count(colour) >= 3


@pytest.mark.parametrize("shape", ["circle", "square", "star", "triangle"])
def test_the_prompt_names_the_shape(studio: Studio, shape: str) -> None:
    assert shapes(studio.draw(f"a blue {shape} on a white background")).count(shape) >= 3


def test_the_negative_prompt_takes_a_favourite_colour_away(studio: Studio) -> None:
    free = colours(studio.draw("a heart on a white background", count=8))
    favourite = Counter(free).most_common(1)[0][0]
    without = colours(studio.draw("a heart on a white background", negative_prompt=favourite, count=8))
    assert without.count(favourite) < free.count(favourite)


def test_guidance_pulls_the_picture_towards_the_prompt(studio: Studio) -> None:
    def away_from_red(guidance: float) -> float:
        pictures = studio.draw("a red square on a white background", guidance=guidance)
        middles = [lab(picture[44:84, 44:84].mean((0, 1)) / 255) for picture in pictures]
        return float(np.mean([np.linalg.norm(middle - lab(rgb("red"))) for middle in middles]))

    assert away_from_red(4.0) < away_from_red(0.0)


def test_another_seed_is_another_picture_and_the_same_seed_the_same(studio: Studio) -> None:
    first = studio.draw(CIRCLE, count=2)
    assert change(first, studio.draw(CIRCLE, count=2)) == 0.0
    assert change(first[:1], first[1:]) > 0.0


def test_more_strength_is_more_change(studio: Studio) -> None:
    [source] = studio.draw("hills during the day", count=1)
    kept = studio.keep(source)
    changes = [
        change([source] * 2, studio.draw("the sea at night", image=kept, strength=strength, count=2))
        for strength in (0.2, 0.5, 0.8)
    ]
    assert changes == sorted(changes), changes


def test_image_to_image_turns_the_picture_into_the_prompt(studio: Studio) -> None:
    [source] = studio.draw(CIRCLE, count=1)
    turned = studio.draw("a blue circle on a white background", image=studio.keep(source), strength=0.9)
    assert colours(turned).count("blue") >= 3


def test_the_mask_says_where(studio: Studio) -> None:
    [source] = studio.draw("hills during the day", count=1)
    mask = np.zeros((128, 128, 3), np.uint8)
    mask[8:80, 28:100] = 255
    painted = studio.draw(
        "a red balloon over the hills during the day", image=studio.keep(source), mask=studio.keep(mask), count=4
    )
    inside = mask[..., 0] > 0
    for picture in painted:
        assert (picture[~inside] == source[~inside]).all(), "nothing outside the mask is touched"
        assert np.abs(picture[inside].astype(int) - source[inside]).mean() > 2


@pytest.mark.parametrize(
    ("relation", "mirrored"), [("left of", "right of"), ("above", "below")], ids=["sideways", "upright"]
)
def test_the_order_of_two_things_is_the_prompts(studio: Studio, relation: str, mirrored: str) -> None:
    right = 0
    for words in (relation, mirrored):
        for picture in studio.draw(f"a red circle {words} a blue square", count=4):
            found = {finding.colour: finding for finding in find_shapes(picture)}
            if {"red", "blue"} <= found.keys():
                right += stands_in_relation(found["red"], words, found["blue"])
    assert right >= 5, "of 8; chance would be 4 at the most"


def test_night_is_darker_than_day(studio: Studio) -> None:
    assert brightness(studio.draw("hills at night")) < brightness(studio.draw("hills during the day")) - 20


def test_a_style_preset_changes_how_it_is_drawn(studio: Studio) -> None:
    plain = studio.draw("hills during the day")
    neon = studio.draw("hills during the day", style="neon")
    assert brightness(neon) < brightness(plain) - 30
    assert change(plain, studio.draw("hills during the day", style="watercolor")) > 3


def test_more_steps_come_closer_to_the_same_picture(studio: Studio) -> None:
    best = studio.draw(CIRCLE, steps=40, count=2)
    assert change(best, studio.draw(CIRCLE, steps=20, count=2)) < change(best, studio.draw(CIRCLE, steps=4, count=2))


def test_any_sampler_draws_what_was_asked(studio: Studio) -> None:
    drawn = [studio.draw(CIRCLE, sampler=name, count=1)[0] for name in ("Euler", "DPM++ 2M Karras", "DDIM", "UniPC")]
    assert colours(drawn).count("red") >= 3
    assert shapes(drawn).count("circle") >= 3


def test_words_it_does_not_know_do_no_harm(studio: Studio) -> None:
    assert colours(studio.draw("a red circle, masterpiece, 8k, zxqwv, on a white background")).count("red") >= 3


def test_a_branch_takes_the_new_words_and_remembers_its_parent(studio: Studio) -> None:
    studio.draw("a red circle on a white background", count=1)
    parent = studio.parts.gallery.page(limit=1)[0]
    branch = studio.branch(parent, 1, "a blue circle on a white background")
    assert (colours([branch]), shapes([branch])) == (["blue"], ["circle"])
    assert studio.parts.gallery.page(limit=1)[0].parents == (parent.id,)


def test_the_recipe_in_the_file_draws_the_same_picture(studio: Studio) -> None:
    [picture] = studio.draw("a house on the hills at sunset", style="watercolor", count=1)
    file = studio.parts.gallery.file(studio.parts.gallery.page(limit=1)[0])
    found = studio.parts.gallery.settings_of(file).as_request()
    again = studio.run(replace(found, use_cache=False))
    assert change([picture], again) == 0.0
