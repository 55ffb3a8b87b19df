"""What every test stands on: a home of its own, no network, no leaked threads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults", type=int, default=5, help="how often each fault of tests/faults is tried")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home folder, named in the environment as well."""
    place = tmp_path / "home"
    monkeypatch.setenv("IMAGEGEN_DESKTOP_HOME", str(place))
    return place
