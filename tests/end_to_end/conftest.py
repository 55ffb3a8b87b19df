"""The program as an artist starts it: real processes, the real engine, a tiny model of random weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_models import build

ROOT = Path(__file__).parent.parent.parent
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion 1 folder of random weights; its native size is 64 × 64."""
    return build("sd1", tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return os.environ | {
        "IMAGEGEN_DESKTOP_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "IMAGEGEN_DESKTOP_THREADS": "1",
        "QT_QPA_PLATFORM": "offscreen",
    }


@pytest.fixture
def call(environment: dict[str, str], tmp_path: Path) -> Call:
    """Runs `imagegen-desktop …` as a process of its own."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "imagegen_desktop", *arguments]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=240, **options
        )

    return run


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The JSON lines a call printed."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
