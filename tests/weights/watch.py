"""Strangers' files looked at under watch: refused in time and in one line, and nothing of them ran."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import ModelProblem

SECONDS = 2.0

#: What no look at a file ever does.
NEVER = ("pickle.find_class", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec")
_seen: list[str] = []
_watched: list[Collection[str]] = []


def _hear(event: str, _: object) -> None:
    if _watched and event in _watched[-1]:
        _seen.append(event)


sys.addaudithook(_hear)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """Must not be there in the end; nothing may have been looked up, started or called either."""
    place = tmp_path / "CANARY"
    _seen.clear()
    yield place
    assert not place.exists()
    assert _seen == []


def refused(call: Callable[[], object], also: Collection[str] = ()) -> str:
    """The reason; `also` are further events that must not happen."""
    _watched.append((*NEVER, *also))
    start = time.monotonic()
    try:
        with pytest.raises(ModelProblem) as caught:
            call()
        assert time.monotonic() - start < SECONDS
    finally:
        _watched.pop()
    assert "\n" not in caught.value.message
    return caught.value.message
