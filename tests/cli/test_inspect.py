"""`inspect` in a terminal: one line for everything that was set, none for what was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagegen_desktop.cli import run
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.imaging.encode import encode_png
from imagegen_desktop.imaging.picture import Picture
from imagegen_desktop.imaging.recipe import Recipe


def test_only_what_was_set_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = Recipe(request=GenerationRequest(prompt="a lake", seed=7, width=64, height=64))
    file = tmp_path / "lake.png"
    file.write_bytes(encode_png(Picture(width=1, height=1, rgb=b"\1\2\3"), recipe))
    assert run(["inspect", str(file)]) == 0
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert told["prompt"] == "a lake"
    assert told["seed"] == "7"
    assert not {"embeddings", "loras", "negative_prompt", "strength"} & told.keys()
    assert "()" not in told.values()
