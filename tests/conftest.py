"""What every test stands on: a home of its own, no network, no leaked threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegen_desktop.storage import ballast
from tests import canary
from tests.loopback import Loopback

os.environ.update(canary.ENVIRONMENT)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytest.register_assert_rewrite("tests.faults.lives")  # its checks are asserted for tests of several folders


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", type=int, default=5, help="how often each fault of tests/faults is tried")


@pytest.fixture(scope="session", autouse=True)
def no_key_is_anywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever was tried, forced to fail or killed: at the end no file of any home, and no request, holds a key."""
    yield
    assert canary.hits_in_files(tmp_path_factory.getbasetemp()) == {}
    assert Loopback.leaks == []


@pytest.fixture(autouse=True)
def no_space_in_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand homes need not keep 64 MB each."""
    monkeypatch.setattr(ballast, "LEAST_FREE", 2**62)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home folder, named in the environment as well."""
    place = tmp_path / "home"
    monkeypatch.setenv("IMAGEGEN_DESKTOP_HOME", str(place))
    return place
