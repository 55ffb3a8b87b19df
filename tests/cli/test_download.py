"""`models download`: what it says, what it exits with, and that the same call goes on where Ctrl-C left it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegen_desktop.cli import run
from tests.fake_hub import FakeHub, pipeline_files, weights_of

ID = "paper-makers/paper"


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub() as server:
        server.add(ID, pipeline_files())
        monkeypatch.setenv("HF_ENDPOINT", server.origin)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


def test_it_prints_where_the_model_lies(hub: FakeHub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "download", ID]) == 0
    out, error = capsys.readouterr()
    assert out.strip() == str(home / "models" / "paper")
    assert "licence: openrail++" in error
    assert run(["models", "list", "--json"]) == 0
    assert "paper" in {row["name"] for row in json.loads(capsys.readouterr().out)}
    sent = hub.sent
    assert run(["models", "download", ID]) == 0
    assert hub.sent == sent


def test_it_tells_events(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "download", ID, "--revision", "v1", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("model", "done")
    assert events[0]["gated"] is False and events[0]["licence"] == "openrail++"
    assert events[-1]["received"] == events[-1]["size"] == events[0]["size"]
    assert {event["event"] for event in events[1:-1]} == {"progress"}


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ([f"{ID}-2"], 3, f"{ID}-2"),
        ([ID, "--revision", "v9"], 3, "revision"),
        (["paper"], 2, "OWNER/NAME"),
        ([ID, "--revision", "../x"], 2, "revision"),
        ([ID, "--file", "nope.safetensors"], 2, "paper-v1.safetensors"),
        ([ID, "--file", "paper-v1.ckpt"], 1, "can run code"),
        (["gated/paper"], 1, "/gated/paper"),
    ],
)
def test_what_goes_wrong_is_one_line(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, word: str
) -> None:
    hub.add("gated/paper", pipeline_files(), gated="auto")
    assert run(["models", "download", *arguments]) == code
    error = capsys.readouterr().err
    assert word in error.splitlines()[-1] and "Traceback" not in error
    assert hub.sent == 0


def test_an_endpoint_elsewhere_has_to_be_https(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example")
    assert run(["models", "download", ID]) == 2
    assert "HF_ENDPOINT" in capsys.readouterr().err


def test_interrupted_the_same_call_goes_on(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    hub.longest = 65_536
    gate = hub.gate("flowing")
    command = [sys.executable, "-m", "imagegen_desktop", "models", "download", ID]
    called = subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert gate.reached.wait(60)
    called.send_signal(signal.SIGINT)
    out, error = called.communicate(timeout=60)
    assert (called.returncode, out) == (130, "")
    assert "the same call goes on" in error and "Traceback" not in error
    gate.opened.set()
    assert run(["models", "download", ID]) == 0


def test_the_kit_of_a_family(hub: FakeHub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub.add("stable-diffusion-v1-5/stable-diffusion-v1-5", {"tokenizer/tokenizer.json": b"{}"})
    assert run(["models", "kit", "sd1"]) == 0
    place = home / "models" / "kits" / "sd1"
    assert capsys.readouterr().out.strip() == str(place)
    assert (place / "tokenizer" / "tokenizer.json").read_bytes() == b"{}"
    assert run(["models", "kit", "nope"]) == 2
    assert "sdxl" in capsys.readouterr().err


def test_what_a_preparation_needs(hub: FakeHub, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = {"PekingU/rtdetr_r50vd_coco_o365": "RTDetrForObjectDetection",
             "usyd-community/vitpose-base-simple": "VitPoseForPoseEstimation"}  # fmt: skip
    for name, kind in kinds.items():
        config = json.dumps({"architectures": [kind]}).encode()
        hub.add(name, {"config.json": config, "preprocessor_config.json": b"{}", "model.safetensors": weights_of(b"x")})
    assert run(["models", "preparation", "pose"]) == 0
    out, error = capsys.readouterr()
    assert out.splitlines() == [str(home / "models" / name.split("/")[1]) for name in kinds]
    assert "licence: openrail++" in error
    asked = len(hub.requests)
    assert run(["models", "preparation", "pose"]) == 0
    assert len(hub.requests) == asked
    assert run(["models", "list", "--kind", "pose-estimator", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["vitpose-base-simple"]
    assert run(["models", "preparation", "canny"]) == 2
    assert "depth, pose" in capsys.readouterr().err
    assert run(["models", "preparation", "depth"]) == 3
    assert "Depth-Anything-V2-Small-hf" in capsys.readouterr().err
