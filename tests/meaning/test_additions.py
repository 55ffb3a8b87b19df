"""What is added to the model means something: both are made by arithmetic, so that what they must do is known."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from imagegen_desktop.domain.request import LoraWeight
from imagegen_desktop.paths import resources

from .conftest import Studio
from .test_meaning import colours

pytestmark = pytest.mark.slow

STARTER = resources() / "models" / "starter"
RED, BLUE = "a red circle on a white background", "a blue circle on a white background"


@pytest.fixture(scope="module")
def words() -> Any:
    """The model's tokenizer and text encoder."""
    from transformers import AutoTokenizer, CLIPTextModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoder = CLIPTextModel.from_pretrained(STARTER / "text_encoder", local_files_only=True)
        return AutoTokenizer.from_pretrained(STARTER / "tokenizer", local_files_only=True), encoder.float().eval()


def vectors(words: Any, text: str) -> torch.Tensor:
    """(tokens, width): what the denoiser hears of a text."""
    tokenizer, encoder = words
    tokens = tokenizer(text, padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt")
    with torch.no_grad():
        heard: torch.Tensor = encoder(tokens.input_ids)[0][0]
    return heard


def put(studio: Studio, name: str, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, Path(studio.parts.home.models) / f"{name}.safetensors")
    studio.parts.models.refresh()


def test_a_learned_word_is_drawn_as_what_it_stands_for(studio: Studio, words: Any) -> None:
    tokenizer, encoder = words
    blue = tokenizer("blue", add_special_tokens=False).input_ids
    put(studio, "zork", {"emb_params": encoder.get_input_embeddings().weight[blue].detach().clone()})
    drawn = studio.draw("a zork circle on a white background")
    assert colours(drawn).count("blue") >= 3


def test_a_lora_that_hears_blue_for_red_draws_blue_as_strongly_as_it_weighs(studio: Studio, words: Any) -> None:
    """Least squares for each cross-attention: what is heard of the one text becomes the other, nothing else changes."""
    red, blue, nothing = (vectors(words, text) for text in (RED, BLUE, ""))
    recognised = torch.linalg.pinv(torch.cat([red, nothing]).T, rtol=1e-3)[: len(red)]
    tensors = {}
    weights = load_file(next((STARTER / "unet").glob("*.safetensors")))
    for name, weight in weights.items():
        if name.endswith(("attn2.to_k.weight", "attn2.to_v.weight")):
            part = f"unet.{name.removesuffix('.weight')}"
            tensors[f"{part}.lora_A.weight"] = recognised.clone()
            tensors[f"{part}.lora_B.weight"] = (weight.float() @ (blue - red).T).contiguous()
    put(studio, "bluer", tensors)
    assert colours(studio.draw(RED)).count("red") >= 3
    assert colours(studio.draw(RED, loras=(LoraWeight(name="bluer", weight=0.0),))).count("red") >= 3
    assert colours(studio.draw(RED, loras=(LoraWeight(name="bluer"),))).count("red") == 0
    assert colours(studio.draw(f"{RED} <lora:bluer:1>")).count("red") == 0
