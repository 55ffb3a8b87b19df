"""Canary keys: after good jobs, forced errors and a crash, no byte the program wrote or sent elsewhere holds one."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegen_desktop import logs
from imagegen_desktop.credentials import KeyStore
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.services.assemble import Parts
from tests.canary import disguises, hits, hits_in_files, hits_in_process
from tests.fake_openai import KEY, FakeOpenAI
from tests.fake_replicate import TOKEN, FakeReplicate, Story
from tests.loopback import Loopback
from tests.services.conftest import Opened
from tests.services.test_runner import until_empty

from .test_kills import command
from .test_openai import wish as openai_wish
from .test_replicate import wish as replicate_wish


def test_the_search_finds_what_it_looks_for() -> None:
    for form in disguises(KEY):
        assert hits(b"something " + form + b" something")
    for shift in range(3):
        assert hits(base64.b64encode(b"x" * shift + KEY.encode() + b"more"))


@pytest.fixture
def logged(home: Path) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    (home / "logs").mkdir(parents=True)
    logs.set_up(home / "logs")
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = handlers, level


def drive(parts: Parts, openai: FakeOpenAI, replicate: FakeReplicate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good jobs, every refusal whose answer repeats the key, and a fault of our own with the key in its text."""
    parts.queue.add_many([openai_wish(), replicate_wish()])
    parts.queue.add(GenerationRequest(prompt="a cat", model="paper", width=16, height=8, steps=2))
    until_empty(parts)
    for fault in ("revoked", "bad request", "moderation", "closed", "500", "no credit"):
        openai.fault = fault
        parts.queue.add(openai_wish(f"{fault}"))
        until_empty(parts)
        parts.holds.release()
    replicate.story = Story(status="failed", error=f"model said {TOKEN} and Bearer {TOKEN}")
    parts.queue.add(replicate_wish("failing"))
    until_empty(parts)
    parts.enhancer.suggest(GenerationRequest(prompt="a fox", model="paper"))

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"unexpected: {KEY} {TOKEN}")

    with monkeypatch.context() as patch:
        patch.setattr("imagegen_desktop.services.paid.PaidWork.hear", broken)
        openai.fault = ""
        parts.holds.release()
        parts.queue.add(openai_wish("broken"))
        until_empty(parts)


def test_no_key_is_anywhere(
    open_parts: Opened,
    openai: FakeOpenAI,
    replicate: FakeReplicate,
    home: Path,
    logged: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = open_parts()
    drive(parts, openai, replicate, monkeypatch)
    pid = parts.engines.first.process_id()
    assert pid is not None
    assert hits_in_process(pid) == []
    said = subprocess.run(command("generate", "x", "--provider", "openai", "--json"), capture_output=True, check=False)
    assert hits(said.stdout + said.stderr) == []
    parts.close()
    files = [file for file in home.rglob("*") if file.is_file()]
    assert {"library.sqlite3", "imagegen-desktop.log"} <= {file.name for file in files}
    assert b"a job failed through a fault of ours" in (home / "logs" / "imagegen-desktop.log").read_bytes()
    assert hits_in_files(home) == {}
    assert len(openai.requests) > 5 and len(replicate.requests) > 5
    assert Loopback.leaks == []


class Memory:
    """A keyring of the system as far as we use one."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def test_a_key_lives_in_the_keyring_and_the_environment_goes_first(tmp_path: Path) -> None:
    memory = Memory()
    environment: dict[str, str] = {}
    keys = KeyStore(tmp_path / "keys.locked", lambda: (memory, "the test keyring"), environment)
    assert keys.set("openai", f"  {KEY}\n") == "the test keyring"
    assert keys.get("openai") == KEY and memory.kept == {("imagegen-desktop", "openai"): KEY}
    environment["OPENAI_API_KEY"] = "sk-other-key-for-this-run"
    assert keys.get("openai") == "sk-other-key-for-this-run" and "environment" in keys.where("openai")
    del environment["OPENAI_API_KEY"]
    assert keys.remove("openai") and not keys.remove("openai")
    assert keys.get("openai") == keys.where("openai") == ""
    assert list(tmp_path.iterdir()) == []


def test_without_a_keyring_a_key_lasts_for_the_session_and_is_written_nowhere(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys.locked", lambda: None, {})
    assert keys.set("openai", KEY) == "this session only"
    assert keys.get("openai") == KEY and keys.is_forgetful
    assert KeyStore(tmp_path / "keys.locked", lambda: None, {}).get("openai") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_planted_keyring_is_never_loaded(tmp_path: Path) -> None:
    """keyrings.alt keeps keys in plain text; installed, configured and preferred, it is still not asked."""
    site = tmp_path / "keyrings" / "alt"
    site.mkdir(parents=True)
    mark = tmp_path / "loaded"
    (site / "__init__.py").write_text("")
    (site / "file.py").write_text(f"open({str(mark)!r}, 'w')\nclass PlaintextKeyring: priority = 99\n")
    script = "from imagegen_desktop.credentials import system_keyring\nprint(system_keyring())"
    environment = os.environ | {
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parent.parent.parent}",
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
    }
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
    assert not mark.exists()
