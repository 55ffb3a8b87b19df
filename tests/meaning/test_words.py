"""Weights, changing words, seamless edges and variations, judged by what is seen in the pictures."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import Pixels, Studio
from .test_meaning import change, colours, shapes

pytestmark = pytest.mark.slow


def test_the_heavier_colour_wins(studio: Studio) -> None:
    red = colours(studio.draw("a (red:1.6) (blue:0.4) circle on a white background"))
    blue = colours(studio.draw("a (red:0.4) (blue:1.6) circle on a white background"))
    assert red.count("red") > blue.count("red")
    assert blue.count("blue") > red.count("blue")


def test_break_keeps_the_meaning_of_both_parts(studio: Studio) -> None:
    drawn = studio.draw("a red circle BREAK on a white background")
    assert colours(drawn).count("red") >= 3
    assert shapes(drawn).count("circle") >= 3


def test_the_earlier_the_colour_changes_the_more_there_is_of_it(studio: Studio) -> None:
    def redness(change_at: int) -> float:
        pictures = studio.draw(f"a [red:blue:{change_at}] circle on a white background", steps=20)
        middles = [picture[44:84, 44:84].astype(int) for picture in pictures]
        return float(np.mean([(middle[..., 0] - middle[..., 2]).mean() for middle in middles]))

    never, last, before, half = (redness(change_at) for change_at in (20, 19, 17, 10))
    assert never > last > max(before, half), "it decides on colours in its last steps"
    assert colours(studio.draw("a [red:blue:20] circle on a white background", steps=20)).count("red") >= 3
    assert colours(studio.draw("a [red:blue:0.5] circle on a white background", steps=20)).count("blue") >= 3


def test_a_negative_weight_takes_away(studio: Studio) -> None:
    plain = colours(studio.draw("a red heart on a white background"))
    without = colours(studio.draw("a (red:-1.5) heart on a white background"))
    assert plain.count("red") >= 3 > without.count("red")


def seam(pictures: list[Pixels], axis: int) -> float:
    """How much more two opposite edges differ than two neighbouring lines, in levels of 0 … 255."""
    far = [np.abs(np.take(p, 0, axis).astype(int) - np.take(p, -1, axis)).mean() for p in pictures]
    near = [np.abs(np.diff(p.astype(int), axis=axis)).mean() for p in pictures]
    return float(np.mean(far) - np.mean(near))


@pytest.mark.parametrize(("tiling", "met"), [("x", [1]), ("y", [0]), ("both", [0, 1])])
def test_the_edges_meet(studio: Studio, tiling: str, met: list[int]) -> None:
    plain = studio.draw("hills at sunset")
    tiled = studio.draw("hills at sunset", tiling=tiling)
    for axis in (0, 1):
        if axis in met:
            assert seam(tiled, axis) < seam(plain, axis) / 2, (axis, seam(tiled, axis), seam(plain, axis))
    assert change(plain, studio.draw("hills at sunset")) == 0.0, "nothing of it stays"


def test_more_variation_is_more_change(studio: Studio) -> None:
    [base] = studio.draw("hills during the day", count=1)
    changes = [
        change([base], studio.draw("hills during the day", count=1, variation_seed=9, variation_strength=strength))
        for strength in (0.0, 0.1, 0.4, 1.0)
    ]
    assert changes[0] == 0.0
    assert changes == sorted(changes), changes
