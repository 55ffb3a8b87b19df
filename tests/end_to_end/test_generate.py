"""`generate` from start to finish: events, files, reproducibility, and the settings coming back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny_additions
from tests.pictures import half_mask, png

from .conftest import Call, events

pytestmark = pytest.mark.slow


def test_a_picture_its_settings_and_the_same_picture_again(call: Call, tiny: Path, tmp_path: Path) -> None:
    options = ("--model", str(tiny), "--steps", "5", "--style", "watercolor", "--sampler", "heun", "--json")
    first = events(call("generate", "a lighthouse at night", "--seed", "7", "-o", "one.png", *options))
    steps = [event for event in first if event["event"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, 10)), "Heun runs 2n−1 iterations"
    assert {event["steps"] for event in steps} == {9}
    [image] = [event for event in first if event["event"] == "image"]
    assert first[-1] == {"event": "done", "job": image["job"], "error": None}
    assert (tmp_path / "one.png").read_bytes() == Path(image["library_path"]).read_bytes()

    found = json.loads(call("inspect", "one.png", "--json").stdout)
    assert found["source"] == "imagegen-desktop"
    request = found["request"]
    again = events(
        call(
            "generate", request["prompt"], "--model", request["model"], "--style", request["style"],
            "--seed", str(request["seed"]), "--steps", str(request["steps"]), "--sampler", request["sampler"],
            "--guidance", str(request["guidance"]), "--width", str(request["width"]), "--json", "--no-cache",
        )
    )  # fmt: skip
    [same] = [event for event in again if event["event"] == "image"]
    assert same["pixels_sha256"] == image["pixels_sha256"]

    known = events(call("generate", "a lighthouse at night", "--seed", "7", "-o", "known.png", *options))
    assert [event["event"] for event in known] == ["image", "done"], "answered from history"
    assert known[0]["id"] in (image["id"], same["id"])
    assert (tmp_path / "known.png").exists()

    other = events(call("generate", "a lighthouse at night", "--seed", "8", *options))
    assert next(event for event in other if event["event"] == "image")["pixels_sha256"] != image["pixels_sha256"]
    rows = json.loads(call("gallery", "search", "lighthouse", "--json").stdout)
    assert len(rows) == 3


def test_from_a_picture_and_with_a_mask_and_in_other_formats(call: Call, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "source.png").write_bytes(png(64, 64))
    (tmp_path / "mask.png").write_bytes(half_mask(64, 64))
    options = (
        "--model",
        str(tiny),
        "--sampler",
        "euler",
        "--steps",
        "6",
        "--seed",
        "1",
        "--image",
        "source.png",
        "--json",
    )
    image = events(call("generate", "a fox", "--strength", "0.5", "-o", "out.webp", *options))
    assert [event["step"] for event in image if event["event"] == "step"] == [1, 2, 3]
    assert (tmp_path / "out.webp").read_bytes()[8:12] == b"WEBP"
    assert json.loads(call("inspect", "out.webp", "--json").stdout)["request"]["strength"] == 0.5
    painted = events(call("generate", "a fox", "--mask", "mask.png", "--count", "2", "-o", "n{n}.jpg", *options))
    assert len([event for event in painted if event["event"] == "image"]) == 2
    assert (tmp_path / "n1.jpg").exists() and (tmp_path / "n2.jpg").exists()


def test_the_queue_without_a_window(call: Call, tiny: Path) -> None:
    good = call("queue", "add", "a fox", "--model", str(tiny), "--steps", "2").stdout.strip()
    broken = call("queue", "add", "a cat", "--model", str(tiny), "--steps", "2", "--count", "2").stdout.strip()
    assert call("queue", "move", broken, "--to", "0").returncode == 0
    assert [row["id"] for row in json.loads(call("queue", "list", "--json").stdout)] == [broken, good]
    done = call("queue", "run", "--until-empty", "--json")
    assert done.returncode == 0, done.stderr
    ends = [json.loads(line)["job"] for line in done.stdout.splitlines() if '"done"' in line]
    assert ends == [broken, good]
    assert len(json.loads(call("gallery", "list", "--json").stdout)) == 3


def test_doctor_finds_the_engine(call: Call) -> None:
    done = call("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert findings["Engine"]["state"] == "ok"
    assert findings["Home"]["state"] in ("ok", "warning")


def test_a_picture_says_what_to_draw_through_an_ip_adapter(call: Call, tiny: Path, tmp_path: Path, home: Path) -> None:
    (home / "models").mkdir(parents=True, exist_ok=True)
    tiny_additions.ip_adapter(tiny, home / "models" / "styles.safetensors", "plus")
    tiny_additions.image_encoder(home / "models" / "image_encoder")
    (tmp_path / "photo.png").write_bytes(png(40, 30))
    options = ("--model", str(tiny), "--steps", "3", "--seed", "7", "--json")
    prompt = ("--ip-adapter", "styles", "--ip-adapter-image", "photo.png", "--ip-adapter-end", "0.8")
    [image] = [event for event in events(call("generate", "hills", *options, *prompt)) if event["event"] == "image"]
    silent = events(call("generate", "hills", *options, *prompt, "--ip-adapter-weight", "0"))
    assert next(event for event in silent if event["event"] == "image")["pixels_sha256"] != image["pixels_sha256"]
    found = json.loads(call("inspect", image["path"], "--json").stdout)["request"]
    [said] = found["image_prompts"]
    assert (said["model"], said["weight"], said["end"], said["image"]["width"]) == ("styles", 1.0, 0.8, 40)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_says_how_to_go_on_and_goes_on(
    call: Call, environment: dict[str, str], tiny: Path, asked: signal.Signals
) -> None:
    """Ctrl-C in a terminal; SIGTERM from whatever ends the session."""
    line = ["generate", "a fox", "--model", str(tiny), "--steps", "60", "--seed", "3", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "imagegen_desktop", *line],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        heard = [json.loads(process.stdout.readline())]
        while heard[-1]["step"] < 3:
            heard.append(json.loads(process.stdout.readline()))
        process.send_signal(asked)
        heard += map(json.loads, process.stdout)
        said = process.stderr.read()
    assert process.returncode == 130
    job = heard[-1]["job"]
    assert heard[-1] == {"event": "paused", "job": job, "error": None}
    assert f"queue resume {job}" in said
    assert call("queue", "resume", job).returncode == 0
    again = events(call("queue", "run", "--until-empty", "--json"))
    assert [event["event"] for event in again][-2:] == ["image", "done"]
    assert again[-2]["resumed_at"] == heard[-2]["step"]
    assert again[0]["step"] == heard[-2]["step"] + 1
