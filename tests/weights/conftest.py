"""Files of holes leave with their test: others read every byte that tests leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.weights.watch import canary  # noqa: F401  a fixture

LARGE = 2**20


@pytest.fixture(autouse=True)
def no_large_file_stays(tmp_path: Path) -> Iterator[None]:
    yield
    for file in tmp_path.rglob("*"):
        if file.is_file() and not file.is_symlink() and file.stat().st_size > LARGE:
            file.unlink()
