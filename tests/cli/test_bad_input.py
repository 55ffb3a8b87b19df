"""Bad input on the command line: one clear line, the right exit code, nothing queued, nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen_desktop.cli import run
from tests.pictures import png, png_of_rows
from tests.services.conftest import model  # noqa: F401  a fixture

BAD: list[tuple[str, list[str], str]] = [
    ("a size that is no multiple of 8", ["--width", "65"], "width"),
    ("a size of 0", ["--width", "0"], "width"),
    ("a negative size", ["--height", "-64"], "height"),
    ("a huge size", ["--width", "800000"], "width"),
    ("too many pixels", ["--width", "8192", "--height", "8192"], "size"),
    ("a size that is no number", ["--width", "wide"], "width"),
    ("no steps", ["--steps", "0"], "steps"),
    ("a million steps", ["--steps", "1000000"], "steps"),
    ("guidance NaN", ["--guidance", "nan"], "guidance"),
    ("guidance infinite", ["--guidance", "inf"], "guidance"),
    ("an unknown sampler", ["--sampler", "Nope"], "sampler"),
    ("an unknown style", ["--style", "nope"], "style"),
    ("an unknown model", ["--model", "nope"], "model"),
    ("an unknown provider", ["--provider", "nope"], "provider"),
    ("a seed that is too large", ["--seed", str(2**64)], "seed"),
    ("strength without image", ["--strength", "0.5"], "strength"),
    ("strength above 1", ["--image", "x.png", "--strength", "1.5"], "strength"),
    ("an image that is not there", ["--image", "missing.png"], "image"),
    ("a mask without image", ["--mask", "m.png"], "mask"),
    ("an unknown device", ["--device", "tpu"], "device"),
    ("no layer at all", ["--clip-skip", "0"], "clip skip"),
    ("edges of no kind", ["--tiling", "round"], "round"),
    ("more than another seed", ["--variation-strength", "1.5"], "variation strength"),
    ("a variation that does not vary", ["--variation-seed", "5"], "variation seed"),
    ("an unknown LoRA", ["--lora", "nope:0.5"], "nope"),
    ("a LoRA too heavy", ["--lora", "nope:1000"], "weight of LoRA nope"),
    ("a weight without a LoRA", ["--lora", ":0.5"], "lora"),
    ("an unknown VAE", ["--vae", "nope"], "nope"),
    ("a ControlNet without a picture", ["--control", "nope"], "control-image"),
    ("an IP-Adapter without a picture", ["--ip-adapter", "nope"], "ip-adapter-image"),
    ("an unknown IP-Adapter", ["--ip-adapter", "nope", "--ip-adapter-image", "x.png"], "nope"),
    ("a weight for no IP-Adapter", ["--ip-adapter-weight", "0.5"], "ip-adapter-weight"),
    ("a picture without a ControlNet", ["--control-image", "x.png"], "control-image"),
    ("an unknown ControlNet", ["--control", "nope", "--control-image", "x.png"], "nope"),
    ("an unknown option", ["--nonsense"], "nonsense"),
    ("an ending nobody writes", ["-o", "out.bmp"], "output"),
    ("several pictures in one file", ["--count", "2", "-o", "out.png"], "output"),
    ("an output in a folder that is not there", ["-o", "nowhere/out.png"], "output"),
]


@pytest.fixture(autouse=True)
def in_a_folder(home: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    monkeypatch.chdir(tmp_path)
    return tmp_path


def outcome(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and what stderr said."""
    code = run(arguments)
    return code, capsys.readouterr().err


def queued(capsys: pytest.CaptureFixture[str]) -> list[object]:
    capsys.readouterr()
    assert run(["queue", "list", "--json"]) == 0
    rows: list[object] = json.loads(capsys.readouterr().out)
    return rows


@pytest.mark.parametrize(("options", "word"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
@pytest.mark.parametrize("verb", [["generate"], ["queue", "add"]], ids=["generate", "queue-add"])
def test_bad_options(verb: list[str], options: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    if verb == ["queue", "add"] and "-o" in options:
        options, word = ["-o", "x.png"], "-o"  # the queue writes to the library only
    code, error = outcome([*verb, "a cat", "--model", "paper", *options], capsys)
    assert code == 2
    assert word in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert queued(capsys) == []


@pytest.mark.parametrize(
    "prompt",
    ["", "   ", "a\0b", "x" * 100_000, "\udcff"],
    ids=["empty", "blank", "NUL", "100 kB", "lone surrogate"],
)
def test_bad_prompts(prompt: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, error = outcome(["generate", prompt, "--model", "paper"], capsys)
    assert (code, error.count("\n")) == (2, 1)
    assert "prompt" in error
    assert queued(capsys) == []


def test_emoji_are_a_prompt_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    prompt = "\N{FOX FACE}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL} \N{RIGHT-TO-LEFT OVERRIDE}fox"
    assert run(["queue", "add", prompt, "--model", "paper"]) == 0
    assert len(queued(capsys)) == 1


def _truncated(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 30)


def _gigantic(path: Path) -> None:
    path.write_bytes(png_of_rows(65535, 65535, b""))


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("this is no picture"),
        lambda path: path.mkdir(),
        _truncated,
        _gigantic,
    ],
    ids=["empty", "text", "folder", "truncated", "gigantic"],
)
def test_pictures_that_are_none(
    make: Callable[[Path], object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "bad.png")
    code, error = outcome(["generate", "a cat", "--model", "paper", "--image", "bad.png"], capsys)
    assert (code, error.count("\n")) == (2, 1), error
    assert "bad.png" in error
    assert queued(capsys) == []


def test_a_model_folder_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, error = outcome(["generate", "a cat", "--model", str(tmp_path)], capsys)
    assert (code, error.count("\n")) == (2, 1)
    assert "model_index.json" in error
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model_index.json").write_text("{nope")
    code, error = outcome(["generate", "a cat", "--model", str(tmp_path / "broken")], capsys)
    assert (code, error.count("\n")) == (2, 1)
    assert "JSON" in error


def test_an_existing_output_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "keep.png").write_text("mine")
    code, error = outcome(["generate", "a cat", "--model", "paper", "-o", "keep.png"], capsys)
    assert code == 2
    assert "--overwrite" in error
    assert (tmp_path / "keep.png").read_text() == "mine"


def test_a_home_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("IMAGEGEN_DESKTOP_HOME", str(tmp_path / "file" / "home"))
    code, error = outcome(["generate", "a cat"], capsys)
    assert (code, error.count("\n")) == (1, 1)
    assert str(tmp_path / "file") in error


@pytest.mark.parametrize("verb", [["queue", "cancel"], ["queue", "retry"], ["gallery", "show"], ["gallery", "delete"]])
def test_ids_that_are_not_there(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, error = outcome([*verb, "nothing"], capsys)
    assert (code, error.count("\n")) == (3, 1)
    assert "nothing" in error


def test_a_picture_without_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plain.png").write_bytes(png(8, 8))
    code, error = outcome(["inspect", "plain.png"], capsys)
    assert (code, error.count("\n")) == (3, 1)


def test_settings_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["settings", "set", "theme", "pink"], capsys)[0] == 2
    assert outcome(["settings", "get", "nope"], capsys)[0] == 2
    assert run(["settings", "set", "theme", "dark"]) == 0
    capsys.readouterr()
    assert run(["settings", "get", "theme"]) == 0
    assert capsys.readouterr().out == "dark\n"


def test_the_environment_overrides_a_setting_for_one_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMAGEGEN_DESKTOP_THEME", "light")
    assert run(["settings", "get", "theme", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == "light"
    assert not (home / "settings.toml").exists()
