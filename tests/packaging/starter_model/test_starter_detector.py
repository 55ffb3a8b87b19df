"""The shape detector makes no mistake on drawn pictures, so that it may judge a model."""

import numpy as np
import pytest
from starter_judging.shape_detector import find_shape, find_shapes, stands_in_relation
from starter_world.canvas import Canvas
from starter_world.pictures import draw_picture, draw_shapes
from starter_world.vocabulary import COLOURS, SHAPES


@pytest.mark.parametrize("ground", ["white", "gray", "black"])
def test_every_colour_and_shape_is_told(ground: str) -> None:
    chance = np.random.default_rng(0)
    for colour in COLOURS:
        for shape in SHAPES:
            canvas = Canvas(128, "flat")
            draw_shapes(canvas, {"colour": colour, "shape": shape, "ground": ground}, chance)
            found = find_shape(canvas.finished())
            assert found is not None
            assert (found.colour, found.shape) == (colour, shape)


def test_both_shapes_and_their_relation_are_told() -> None:
    chance = np.random.default_rng(1)
    for _ in range(60):
        picture = draw_picture(chance, kind="pair", rendering="flat")
        labels = picture.labels
        found = {f.colour: f for f in find_shapes(picture.pixels)}
        first, second = found[labels["colour"]], found[labels["other colour"]]
        assert (first.shape, second.shape) == (labels["shape"], labels["other shape"])
        assert stands_in_relation(first, labels["relation"], second)
        assert not stands_in_relation(second, labels["relation"], first)


def test_an_empty_ground_has_no_shape() -> None:
    assert find_shape(np.full((128, 128, 3), 240, np.uint8)) is None
