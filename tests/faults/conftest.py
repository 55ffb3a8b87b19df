"""How often each fault is tried: a few times in the one check, as often as asked by `--faults N`."""

from __future__ import annotations

import pytest

from tests.services.conftest import model, open_parts, parts  # noqa: F401  fixtures


@pytest.fixture
def fault_count(request: pytest.FixtureRequest) -> int:
    count: int = request.config.getoption("--faults")
    return count
