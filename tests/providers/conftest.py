"""Providers through the services, against servers on this machine that bill, stream and break like the real ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.services.assemble import Parts
from tests import canary
from tests.fake_openai import KEY, FakeOpenAI
from tests.fake_replicate import TOKEN, FakeReplicate
from tests.loopback import Gate
from tests.services.conftest import model, open_parts, parts  # noqa: F401  fixtures


@pytest.fixture(scope="session")
def transport_rounds(request: pytest.FixtureRequest) -> int:
    """How often each fault of the transport is tried: once in the one check, 20 times with `--faults 500`."""
    return max(1, int(request.config.getoption("--faults")) // 25)


@pytest.fixture(scope="session")
def malformed_rounds(request: pytest.FixtureRequest) -> int:
    """How often each malformed answer is tried: once in the one check, 10 times with `--faults 500`."""
    return max(1, int(request.config.getoption("--faults")) // 50)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every kill is tried twice in the one check, 100 times with `--faults 500`."""
    if "life" in metafunc.fixturenames:
        metafunc.parametrize("life", range(max(2, int(metafunc.config.getoption("--faults")) // 5)))


@pytest.fixture(autouse=True)
def no_keys_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of whoever runs the tests: no keys, no addresses, no proxies, no keyring."""
    for name in canary.ENVIRONMENT:
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


def left_in_flight(opened: Callable[[], Parts], request: GenerationRequest, gate: Gate) -> str:
    """The job of a program that was closed while the provider stood at the gate, which is open from then on."""
    first = opened()
    job = first.queue.add(request)
    work = threading.Thread(target=first.runner.work_once)
    work.start()
    assert gate.reached.wait(10)
    first.close()
    work.join()
    gate.opened.set()
    return job.id
