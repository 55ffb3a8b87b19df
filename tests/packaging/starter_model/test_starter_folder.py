"""The shipped starter model loads, is small, and says the truth about its words."""

import json
import warnings
from pathlib import Path

import pytest
import torch
from starter_training.pipeline_folder import size_in_bytes
from starter_world.vocabulary import COLOURS, SHAPES, all_words

FOLDER = Path(__file__).parents[3] / "resources" / "models" / "starter"

pytestmark = pytest.mark.skipif(not (FOLDER / "model_index.json").exists(), reason="not trained yet")


def test_the_folder_is_small() -> None:
    assert size_in_bytes(FOLDER) <= 16_000_000


def test_the_card_says_what_the_model_knows() -> None:
    card = json.loads((FOLDER / "card.json").read_text())
    assert card["knows"]["colours"] == list(COLOURS)
    assert card["knows"]["shapes"] == list(SHAPES)
    assert card["vocabulary"] == all_words()
    words = " ".join(card["examples"]).replace(",", " ").split()
    assert set(words) <= set(card["vocabulary"])


def test_it_draws_the_same_picture_twice() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from diffusers import StableDiffusionPipeline

        pipeline = StableDiffusionPipeline.from_pretrained(FOLDER, dtype=torch.float32)
        pipeline.set_progress_bar_config(disable=True)
        images = [
            pipeline(
                "a red circle on a white background, zxq",
                num_inference_steps=3,
                guidance_scale=4.0,
                generator=torch.Generator().manual_seed(1),
                output_type="np",
            ).images[0]
            for _ in range(2)
        ]
    assert images[0].shape == (128, 128, 3)
    assert (images[0] == images[1]).all()
