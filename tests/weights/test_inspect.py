"""Model folders: recognised from their small files, and refused in one line when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import ModelProblem
from imagegen_desktop.weights.inspect import inspect_model
from tests.services.conftest import model  # noqa: F401  a fixture


def change(folder: Path, file: str, **values: object) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_folder_tells_family_size_and_sampler(model: Path) -> None:  # noqa: F811
    card = inspect_model(model)
    assert (card.family, card.width, card.steps, card.guidance, card.sampler) == ("sd1", 64, 30, 7.5, "PNDM")


@pytest.mark.parametrize(
    ("scheduler", "name"),
    [
        ({"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": True}, "DPM++ 2M Karras"),
        ({"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}, "DPM++ 2M SDE"),
        ({"_class_name": "EulerAncestralDiscreteScheduler"}, "Euler a"),
        ({"_class_name": "SomethingNew"}, ""),
    ],
)
def test_the_models_own_sampler_has_its_artists_name(model: Path, scheduler: dict[str, object], name: str) -> None:  # noqa: F811
    (model / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    assert inspect_model(model).sampler == name


def test_stable_diffusion_2_is_told_by_its_text_width_or_its_prediction(model: Path) -> None:  # noqa: F811
    change(model, "unet/config.json", cross_attention_dim=1024, sample_size=96)
    card = inspect_model(model)
    assert (card.family, card.width) == ("sd2", 768)


def test_an_own_card_says_more(model: Path) -> None:  # noqa: F811
    own = {"family": "starter", "name": "Mine", "steps": 12, "guidance": 0, "width": 128, "examples": ["a red fox"]}
    (model / "card.json").write_text(json.dumps(own))
    card = inspect_model(model)
    assert (card.title, card.family, card.steps, card.guidance, card.width) == ("Mine", "starter", 12, 0.0, 128)
    assert card.examples == ("a red fox",)


def _remote_code(folder: Path) -> None:
    change(folder, "model_index.json", unet=["evil_module", "UNet2DConditionModel"])


def _dotted_class(folder: Path) -> None:
    change(folder, "model_index.json", unet=["diffusers", "utils.dynamic.Evil"])


def _climbing_part(folder: Path) -> None:
    change(folder, "model_index.json", **{"../../outside": ["diffusers", "AutoencoderKL"]})


def _python_file(folder: Path) -> None:
    (folder / "unet" / "MODEL.PY").write_text("print()")


def _link_outside(folder: Path) -> None:
    outside = folder.parent.parent / "outside.safetensors"
    outside.write_bytes(b"")
    (folder / "unet" / "weights.safetensors").symlink_to(outside)


def _missing_part(folder: Path) -> None:
    (folder / "vae" / "config.json").unlink()
    (folder / "vae").rmdir()


def _unknown_pipeline(folder: Path) -> None:
    change(folder, "model_index.json", _class_name="WanPipeline")


def _giant_json(folder: Path) -> None:
    (folder / "model_index.json").write_text(" " * (5 * 2**20))


def _deep_json(folder: Path) -> None:
    (folder / "model_index.json").write_text("[" * 100_000)


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (_remote_code, "evil_module"),
        (_dotted_class, "Evil"),
        (_climbing_part, "outside"),
        (_python_file, "MODEL.PY"),
        (_link_outside, "links to a file outside"),
        (_missing_part, "vae"),
        (_unknown_pipeline, "WanPipeline"),
        (_giant_json, "larger"),
        (_deep_json, "JSON"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(model: Path, harm: Callable[[Path], None], word: str) -> None:  # noqa: F811
    harm(model)
    with pytest.raises(ModelProblem) as caught:
        inspect_model(model)
    assert word in caught.value.message
    assert "\n" not in caught.value.message
