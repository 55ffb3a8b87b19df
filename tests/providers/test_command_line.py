"""The same providers from the command line: pictures, exit codes, enhancement, keys."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imagegen_desktop import cli
from tests.fake_openai import COST, KEY, WORDS, FakeOpenAI
from tests.fake_replicate import FakeReplicate
from tests.pictures import half_mask, png


@dataclass(frozen=True)
class Done:
    """How a call ended."""

    returncode: int
    stdout: str
    stderr: str


Call = Callable[..., Done]


@pytest.fixture
def call(
    home: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs one call of the command line; `typed` comes in on stdin, the variables are for this call only."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, typed: str = "", **variables: str) -> Done:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(typed))
            for name, value in variables.items():
                patch.setenv(name, value)
            code = cli.run(arguments)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


def lines(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_picture_of_openai(call: Call, openai: FakeOpenAI, tmp_path: Path) -> None:
    done = call("generate", "a red fox", "--provider", "openai", "--width", "512", "--height", "512",
                "--quality", "low", "-o", "fox.webp", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "size 512 × 512 snapped to 816 × 816" in done.stderr
    events = lines(done)
    [image] = [event for event in events if event["event"] == "image"]
    assert (image["provider"], image["seed"], image["cost"]) == ("openai", None, pytest.approx(COST))
    assert [event["step"] for event in events if event["event"] == "step"] == [1, 2, 3]
    assert events[-1]["event"] == "done"
    assert (tmp_path / "fox.webp").read_bytes()[8:12] == b"WEBP"
    shown = json.loads(call("gallery", "show", image["id"], "--json").stdout)
    assert (shown["model"], shown["cost"]) == ("gpt-image-2.6-flare", pytest.approx(COST))
    assert shown["notes"] == ["size 512 × 512 snapped to 816 × 816"]


def test_edits_and_masks_of_replicate_in_the_queue(call: Call, replicate: FakeReplicate, tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(png(256, 256))
    (tmp_path / "mask.png").write_bytes(half_mask(256, 256))
    fill = ("--model", "black-forest-labs/flux-fill-pro", "--image", "in.png", "--mask", "mask.png")
    assert call("queue", "add", "a fox", "--provider", "replicate", *fill).returncode == 0
    assert call("queue", "add", "a cat", "--provider", "replicate", "--count", "2").returncode == 0
    done = call("queue", "run", "--until-empty", "--json")
    assert done.returncode == 0, done.stderr
    assert len([event for event in lines(done) if event["event"] == "image"]) == len(replicate.charges) == 3


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (["--provider", "openai", "--model", "dall-e-3"], 2, "gpt-image-2.6-sunburst"),
        (["--provider", "openai", "--quality", "hd"], 2, "xhigh"),
        (["--provider", "replicate", "--model", "nope"], 2, "flux-schnell"),
        (["--provider", "nobody"], 2, "replicate"),
        (["--model", "paper", "--quality", "low"], 2, "quality"),
    ],
)
def test_bad_input(call: Call, openai: FakeOpenAI, options: list[str], code: int, word: str) -> None:
    done = call("generate", "a fox", *options)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert word in done.stderr
    assert openai.requests == []


@pytest.mark.parametrize(
    ("fault", "word"),
    [("moderation", "refused"), ("no credit", "billing"), ("revoked", "keys set openai"), ("closed", "retry")],
)
def test_what_goes_wrong_is_one_line_with_its_remedy(call: Call, openai: FakeOpenAI, fault: str, word: str) -> None:
    openai.fault = fault
    done = call("generate", "a fox", "--provider", "openai")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert word in done.stderr and KEY not in done.stderr


def test_a_queue_whose_provider_is_offline_draws_the_rest_and_says_who_waits(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    call("queue", "add", "a fox", "--provider", "openai")
    done = call("queue", "run", "--until-empty")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr and "stay in the queue" in done.stderr
    [row] = json.loads(call("queue", "list", "--json").stdout)
    assert (row["state"], row["error"]["kind"]) == ("queued", "unreachable")


def test_providers_and_what_they_can_do(call: Call, openai: FakeOpenAI) -> None:
    rows = {row["name"]: row for row in json.loads(call("providers", "--json").stdout)}
    assert list(rows) == ["local", "openai", "replicate"]
    assert (rows["openai"]["state"], rows["replicate"]["state"]) == ("ready", "no key")
    [flare, *_] = rows["openai"]["models"]
    assert flare["default"] and not flare["seeds"] and "xhigh" in flare["qualities"]
    assert openai.requests == []
    checked = call("providers", "--check", "--json")
    assert checked.returncode == 0 and "gpt-image-2.6-flare, gpt-image-2 (until 2027-03" in checked.stdout


def test_a_better_prompt(call: Call, openai: FakeOpenAI) -> None:
    done = call("enhance", "a red fox", "--provider", "openai")
    assert (done.returncode, done.stdout.strip()) == (0, WORDS)
    assert "gpt-6-luna" in done.stderr
    row = json.loads(call("enhance", "a red fox", "--json", OPENAI_API_KEY="").stdout)
    assert row["source"] == "built in" and row["text"].startswith("a red fox")
    assert "".join(change["text"] for change in row["changes"] if change["kind"] != "removed") == row["text"]
    assert call("enhance", "a fox", "--style", "nope").returncode == 2
    drawn = call("generate", "a red fox", "--provider", "openai", "--enhance", "--json")
    assert drawn.returncode == 0 and openai.seen("/generations")[0].json["prompt"] == WORDS


def test_keys_in_a_locked_file(call: Call, openai: FakeOpenAI, home: Path) -> None:
    phrase = {"IMAGEGEN_DESKTOP_KEY_PASSPHRASE": "correct horse", "OPENAI_API_KEY": ""}
    refused = call("keys", "set", "openai", typed=f"{KEY}\n", **phrase)
    assert refused.returncode == 1 and "--file" in refused.stderr
    assert not (home / "keys.locked").exists()
    kept = call("keys", "set", "openai", "--file", typed=f"{KEY}\n", **phrase)
    assert kept.returncode == 0, kept.stderr
    tested = call("keys", "test", "openai", **phrase)
    assert tested.returncode == 0 and "works" in tested.stdout
    wrong = call("keys", "test", "openai", **(phrase | {"IMAGEGEN_DESKTOP_KEY_PASSPHRASE": "wrong"}))
    assert wrong.returncode == 1 and "passphrase" in wrong.stderr
    assert KEY.encode() not in b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert call("keys", "remove", "openai", **phrase).returncode == 0
    assert call("keys", "remove", "openai", **phrase).returncode == 3
    assert call("keys", "test", "openai", **phrase).returncode == 3
    assert call("keys", "set", "nobody", typed="x\n").returncode == 2
    assert call("keys", "set", "openai", "--file", typed="\n", **phrase).returncode == 2
