"""One real engine process for a whole test session: its imports take longer than its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from imagegen_desktop.protocol.messages import Ready, Start
from tests import tiny_models
from tests.engine.engine_child import EngineChild
from tests.weights.watch import canary  # noqa: F401  a fixture


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds a tiny model of a kind once and tells its folder."""
    shelf = tmp_path_factory.mktemp("tiny")
    return lambda kind: tiny_models.build(kind, shelf / kind)


@pytest.fixture(scope="session")
def engine() -> Iterator[EngineChild]:
    child = EngineChild(Start(device="cpu", threads=1))
    child.until(Ready)
    yield child
    child.close()


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """As the engine under test is: sums in another order are other bytes."""
    torch.set_num_threads(1)
