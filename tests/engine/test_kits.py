"""The configs we ship describe the published networks: every part has the number of weights that is known of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
import transformers

from imagegen_desktop.engine.pipelines import PIPELINES

CONFIGS = Path(__file__).resolve().parents[2] / "resources" / "configs"

#: Millions of weights, as published or counted from the published models.
DENOISERS = {
    "sd1": 859.5,
    "sd2": 865.9,
    "sdxl": 2567.5,
    "sd3": 8056.6,
    "flux": 11901.4,
    "flux-kontext": 11901.4,
    "flux-fill": 11902.4,
    "flux2": 3875.5,
    "zimage": 6154.9,
    "qwen": 20430.4,
}
TEXT_ENCODERS = {
    "CLIPTextModel": (123.1, 340.4),
    "CLIPTextModelWithProjection": (123.7, 694.7),
    "T5EncoderModel": (4762.3,),
    "Qwen3ForCausalLM": (4022.5,),
    "Qwen3Model": (4022.5,),
    "Qwen2_5_VLForConditionalGeneration": (8292.2,),
}
AUTOENCODERS = {"AutoencoderKL": (83.7, 83.8), "AutoencoderKLFlux2": (84.0,), "AutoencoderKLQwenImage": (126.9,)}


def millions(model: Any) -> float:
    return round(sum(weight.numel() for weight in model.parameters()) / 1e6, 1)


def test_every_family_but_our_own_has_a_kit() -> None:
    assert {folder.name for folder in CONFIGS.iterdir() if folder.is_dir()} == set(PIPELINES) - {"starter"}


@pytest.mark.parametrize("family", DENOISERS)
def test_a_kit_describes_the_published_model(family: str) -> None:
    kit = CONFIGS / family
    index = json.loads((kit / "model_index.json").read_text())
    assert index["_class_name"] == PIPELINES[family].base
    with torch.device("meta"):
        for part, value in index.items():
            config = kit / part / "config.json"
            if isinstance(value, list) and config.exists():
                _check(part, value, config, DENOISERS[family])
    scheduler = getattr(diffusers, index["scheduler"][1])
    assert scheduler.from_pretrained(kit, subfolder="scheduler", local_files_only=True)
    told = {name for name, value in index.items() if isinstance(value, list) and value[0]}
    described = {folder.name for folder in kit.iterdir() if folder.is_dir()}
    assert told - described == {name for name in told if name.startswith("tokenizer")}, (
        "tokenizers are not ours to ship"
    )


def _check(part: str, value: list[str], config: Path, denoiser: float) -> None:
    library, kind = value
    if library == "transformers":
        model_class = getattr(transformers, kind)
        settings = model_class.config_class.from_pretrained(config.parent, local_files_only=True)
        assert millions(model_class(settings)) in TEXT_ENCODERS[kind], (part, kind)
        return
    model = getattr(diffusers, kind).from_config(json.loads(config.read_text()))
    assert millions(model) in AUTOENCODERS.get(kind, (denoiser,)), (part, kind)
