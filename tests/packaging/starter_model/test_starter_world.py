"""The drawn world says and draws everything in its vocabulary."""

import numpy as np
import pytest
from starter_world.captions import reworded, with_article
from starter_world.pictures import draw_picture
from starter_world.vocabulary import (
    COLOURS,
    FILLERS,
    GROUNDS,
    RELATIONS,
    RENDERINGS,
    SCENES,
    SHAPES,
    THINGS,
    TIMES,
    all_words,
)


def test_captions_use_every_word_of_the_vocabulary() -> None:
    chance = np.random.default_rng(0)
    said: set[str] = set()
    for _ in range(6000):
        said.update(reworded(draw_picture(chance, size=8).caption, chance).replace(",", " ").split())
        if said.issuperset(all_words()):
            break
    assert set(all_words()) - said == set()


def test_captions_say_little_that_is_not_in_the_vocabulary() -> None:
    chance = np.random.default_rng(1)
    captions = [draw_picture(chance, size=8).caption for _ in range(300)]
    unknown = [c for c in captions if set(c.replace(",", " ").split()) - set(all_words())]
    assert len(unknown) < 0.12 * len(captions)


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_every_kind_is_drawn_in_every_rendering(rendering: str) -> None:
    chance = np.random.default_rng(2)
    for kind in ("shape", "pair", "landscape"):
        picture = draw_picture(chance, size=64, kind=kind, rendering=rendering)
        assert picture.pixels.shape == (64, 64, 3)
        assert picture.pixels.dtype == np.uint8
        assert picture.pixels.std() > 5
        assert picture.labels["rendering"] == rendering


def test_same_chance_draws_the_same_picture() -> None:
    one, two = (draw_picture(np.random.default_rng(3), size=64) for _ in range(2))
    assert one.caption == two.caption
    assert (one.pixels == two.pixels).all()


def test_labels_stay_in_the_vocabulary() -> None:
    chance = np.random.default_rng(4)
    known = {
        "colour": COLOURS, "other colour": COLOURS, "shape": SHAPES, "other shape": SHAPES,
        "ground": GROUNDS, "relation": RELATIONS, "scene": SCENES, "time": TIMES, "thing": THINGS,
    }  # fmt: skip
    for _ in range(200):
        labels = draw_picture(chance, size=8).labels
        assert all(labels[name] in known[name] for name in labels if name in known)


def test_articles() -> None:
    assert with_article("orange star") == "an orange star"
    assert with_article("red star") == "a red star"


def test_fillers_are_single_words() -> None:
    assert all(" " not in word for word in FILLERS)
