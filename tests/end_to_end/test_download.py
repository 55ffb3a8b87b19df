"""A model that comes from a hub draws the same picture as its original: nothing was lost or changed on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_hub import FakeHub

from .conftest import Call, events

pytestmark = pytest.mark.slow


def test_what_was_downloaded_draws_what_the_original_draws(call: Call, tiny: Path, environment: dict[str, str]) -> None:
    files = {path.relative_to(tiny).as_posix(): path.read_bytes() for path in tiny.rglob("*") if path.is_file()}
    with FakeHub() as hub:
        hub.add("tiny-makers/small", files | {"small.ckpt": b"pickle", "unet/diffusion_pytorch_model.bin": b"pickle"})
        hub.cuts = [20_000, 40_000]
        environment["HF_ENDPOINT"] = hub.origin
        fetched = events(call("models", "download", "tiny-makers/small", "--json"))[-1]
    pictures = []
    for model in ("small", str(tiny)):
        drawn = events(call("generate", "a pear", "--model", model, "--seed", "3", "--steps", "2", "--json"))
        pictures.append(next(event["pixels_sha256"] for event in drawn if event["event"] == "image"))
    assert fetched["event"] == "done"
    assert pictures[0] == pictures[1]
