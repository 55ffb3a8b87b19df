"""A folder of a family without a name here is drawn by the pipeline it names, stopped and resumed like all others."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import diffusers
import pytest
import torch

from imagegen_desktop.protocol.messages import Idle, Image, Pause, Paused, Preview, Step
from tests import tiny_others
from tests.engine.engine_child import SIDE, EngineChild, command, only, request


def bare_pixels(folder: Path, steps: int, **changes: object) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True)
        pipeline.set_progress_bar_config(disable=True)
        picture = pipeline(
            prompt="a red cat",
            negative_prompt="blue",
            num_inference_steps=steps,
            guidance_scale=5.0,
            width=SIDE,
            height=SIDE,
            generator=torch.Generator().manual_seed(7),
            **changes,
        ).images[0]
    pixels: bytes = picture.tobytes()
    return pixels


@pytest.mark.parametrize(("kind", "changes"), [("pixart", {"use_resolution_binning": False}), ("chroma", {})])
def test_another_pipeline_is_drawn_paused_and_resumed(
    engine: EngineChild, tmp_path: Path, kind: str, changes: dict[str, object]
) -> None:
    folder = tiny_others.build(kind, tmp_path / kind)
    asked = command(request(steps=40), folder, family="other", snapshot=str(tmp_path / "image.safetensors"))
    events = engine.run(asked)
    expected = bare_pixels(folder, 40, **changes)
    assert only(events, Image).pixels == expected
    assert {(look.width, look.height) for look in events if isinstance(look, Preview)} == {(8, 8)}
    engine.send(asked)
    engine.until(Step)
    engine.send(Pause(job=asked.job))
    paused = engine.until(Paused)
    engine.until(Idle)
    again = engine.image(
        command(request(steps=40), folder, family="other", resume=paused.snapshot, snapshot=asked.snapshot)
    )
    assert again.resumed_at == paused.step
    assert again.pixels == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NoSuchPipeline", "is a NoSuchPipeline, which diffusers"),
        ("StableVideoDiffusionPipeline", "does not make pictures from words alone"),
        ("AutoencoderKL", "is a AutoencoderKL, which diffusers"),
    ],
)
def test_what_is_no_text_to_image_pipeline_is_one_line(
    engine: EngineChild, tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": name}))
    failed = engine.refusal(command(request(), tmp_path, family="other"))
    assert failed.kind == "model"
    assert words in failed.message
