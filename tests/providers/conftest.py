"""Providers through the services, against servers on this machine that bill, stream and break like the real ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import Parts, assemble
from tests.fake_openai import KEY, FakeOpenAI
from tests.fake_replicate import TOKEN, FakeReplicate
from tests.services.conftest import model  # noqa: F401  a fixture

ROOT = Path(__file__).parent.parent.parent
FAKE = [sys.executable, str(ROOT / "tests" / "fake_engine.py")]

#: How often every fault is tried: once in the one check, more by IMAGEGEN_TEST_ROUNDS.
ROUNDS = int(os.environ.get("IMAGEGEN_TEST_ROUNDS", "1"))

Opened = Callable[[], Parts]


@pytest.fixture(autouse=True)
def no_keys_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests: no keys, no addresses, no proxies, no keyring."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "REPLICATE_API_TOKEN", "REPLICATE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server


@pytest.fixture
def replicate(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
        monkeypatch.setenv("REPLICATE_BASE_URL", server.origin)
        yield server


@pytest.fixture
def open_parts(home: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:  # noqa: F811
    """Opens the parts on the test's home, as often as asked; all are closed at the end."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    opened: list[Parts] = []

    def open_one() -> Parts:
        opened.append(assemble(Home(home), engine=False, engine_command=FAKE))
        return opened[-1]

    yield open_one
    for parts in opened:
        parts.close()


@pytest.fixture
def parts(open_parts: Opened) -> Parts:
    return open_parts()
