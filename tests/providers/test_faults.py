"""The fault table: every way a provider or the network can fail, its right class, right words, nothing half, nothing
paid twice. Each once in the one check; `--faults 500` is the long run (README.md)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from imagegen_desktop.domain.job import WAITING, Job, JobState
from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import Parts, assemble
from tests.fake_openai import KEY, FakeOpenAI
from tests.fake_replicate import TOKEN, FakeReplicate, Story
from tests.loopback import Handler, Loopback
from tests.pictures import png
from tests.services.conftest import FAKE
from tests.services.test_runner import until_empty

from .malformed import MALFORMED, OUTPUTS, RESULTS, UNNAMED, picture
from .test_openai import wish as openai_wish
from .test_replicate import wish as replicate_wish

#: Fault, kind of the problem, state of a job that waits in the queue, charges.
OPENAI: list[tuple[str, str, JobState, int]] = [
    ("rate", "rate_limited", JobState.QUEUED, 0),
    ("rate without time", "rate_limited", JobState.QUEUED, 0),
    ("no credit", "out_of_credit", JobState.QUEUED, 0),
    ("revoked", "key", JobState.QUEUED, 0),
    ("unverified", "not_allowed", JobState.FAILED, 0),
    ("gone", "model_gone", JobState.FAILED, 0),
    ("moderation", "refused", JobState.FAILED, 0),
    ("451", "refused", JobState.FAILED, 0),
    ("refused in mid-stream", "refused", JobState.FAILED, 0),
    ("bad request", "provider", JobState.FAILED, 0),
    ("500", "provider", JobState.FAILED, 0),
    ("503", "rate_limited", JobState.QUEUED, 0),
    ("502", "uncertain", JobState.UNCERTAIN, 1),
    ("504", "uncertain", JobState.UNCERTAIN, 1),
    ("closed", "uncertain", JobState.UNCERTAIN, 1),
    ("reset", "uncertain", JobState.UNCERTAIN, 1),
    ("half a body", "uncertain", JobState.UNCERTAIN, 1),
    ("cut off", "uncertain", JobState.UNCERTAIN, 1),
    ("silence", "uncertain", JobState.UNCERTAIN, 1),
]
REPLICATE: list[tuple[str, str, JobState, int]] = [
    ("rate", "rate_limited", JobState.QUEUED, 0),
    ("rate without time", "rate_limited", JobState.QUEUED, 0),
    ("no credit", "out_of_credit", JobState.QUEUED, 0),
    ("revoked", "key", JobState.QUEUED, 0),
    ("moderation", "refused", JobState.FAILED, 0),
    ("451", "refused", JobState.FAILED, 0),
    ("forbidden", "not_allowed", JobState.FAILED, 0),
    ("gone", "model_gone", JobState.FAILED, 0),
    ("invalid", "provider", JobState.FAILED, 0),
    ("503", "rate_limited", JobState.QUEUED, 0),
    ("500", "uncertain", JobState.UNCERTAIN, 1),
    ("502", "uncertain", JobState.UNCERTAIN, 1),
    ("504", "uncertain", JobState.UNCERTAIN, 1),
    ("closed", "uncertain", JobState.UNCERTAIN, 1),
    ("reset", "uncertain", JobState.UNCERTAIN, 1),
    ("half a body", "uncertain", JobState.UNCERTAIN, 1),
    ("silence", "uncertain", JobState.UNCERTAIN, 1),
]


@dataclass(frozen=True)
class World:
    """One program and its two providers, for all faults of this file: starting them costs more than any fault."""

    parts: Parts
    openai: FakeOpenAI
    replicate: FakeReplicate


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = Home(tmp_path_factory.mktemp("faults") / "home")
    with FakeOpenAI() as openai, FakeReplicate() as replicate:
        parts = assemble(home, engine=False, engine_command=FAKE)
        yield World(parts, openai, replicate)
        parts.close()


@pytest.fixture(autouse=True)
def fresh(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every fault begins with whole servers, nothing held and nothing waiting."""
    world.parts.settings.override("cloud_timeout_seconds", 1)
    for name, value in {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": world.openai.url,
        "REPLICATE_API_TOKEN": TOKEN,
        "REPLICATE_BASE_URL": world.replicate.origin,
    }.items():
        monkeypatch.setenv(name, value)
    world.openai.reset()
    world.replicate.reset()
    world.parts.holds.release()
    yield
    left = [job for job in world.parts.queue.jobs() if job.state in WAITING]
    world.parts.queue.cancel(job.id for job in left)
    images = world.parts.gallery.page()
    world.parts.gallery.delete([image.id for image in images])


@pytest.fixture
def parts(world: World) -> Parts:
    return world.parts


@pytest.fixture
def openai(world: World) -> FakeOpenAI:
    return world.openai


@pytest.fixture
def replicate(world: World) -> FakeReplicate:
    return world.replicate


def check(parts: Parts, job: Job, server: Loopback, kind: str, state: JobState, charges: int) -> None:
    """What every fault has to leave behind; a second go of the runner must not change it."""
    until_empty(parts)
    until_empty(parts)
    ended = parts.queue.get(job.id)
    assert ended.error is not None
    assert (ended.error.kind, ended.state) == (kind, state), ended.error
    text = ended.error.message + ended.error.advice
    assert ended.error.message and ended.error.advice
    assert KEY not in text and "Traceback" not in text and "\n" not in text and "\x1b" not in text
    assert len(server.charges) == charges
    assert parts.gallery.count() == 0
    assert not list(parts.home.root.rglob("*.part"))


@pytest.mark.parametrize(("fault", "kind", "state", "charges"), OPENAI, ids=[row[0] for row in OPENAI])
def test_openai(
    parts: Parts, openai: FakeOpenAI, fault: str, kind: str, state: JobState, charges: int, transport_rounds: int
) -> None:
    openai.fault = fault
    for _ in range(transport_rounds):
        openai.charges.clear()
        parts.holds.release()
        job = parts.queue.add(openai_wish())
        check(parts, job, openai, kind, state, charges)
        parts.queue.cancel([job.id]) if state is not JobState.FAILED else None


@pytest.mark.parametrize(("fault", "kind", "state", "charges"), REPLICATE, ids=[row[0] for row in REPLICATE])
def test_replicate(
    parts: Parts, replicate: FakeReplicate, fault: str, kind: str, state: JobState, charges: int, transport_rounds: int
) -> None:
    replicate.fault = fault
    for _ in range(transport_rounds):
        replicate.charges.clear()
        parts.holds.release()
        job = parts.queue.add(replicate_wish())
        check(parts, job, replicate, kind, state, charges)
        parts.queue.cancel([job.id]) if state is not JobState.FAILED else None


UNREACHABLE = {
    "nobody listens": "http://127.0.0.1:9",
    "no such name": "https://nowhere.invalid",
    "no TLS there": "https://127.0.0.1:{port}",
    "nobody opens": "http://127.0.0.1:{closed}",
}


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port that lets nobody in: its queue is full, and what comes is dropped without a word."""
    with socket.socket() as server, ExitStack() as guests:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(2):
            guest = guests.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.mark.parametrize("address", UNREACHABLE.values(), ids=UNREACHABLE.keys())
@pytest.mark.parametrize("provider", ["openai", "replicate"])
def test_what_never_left_waits_and_goes_on_by_itself(
    world: World,
    provider: str,
    address: str,
    closed_port: int,
    monkeypatch: pytest.MonkeyPatch,
    transport_rounds: int,
) -> None:
    parts = world.parts
    server: Loopback = world.openai if provider == "openai" else world.replicate
    name = f"{provider.upper()}_BASE_URL"
    good = world.openai.url if provider == "openai" else world.replicate.origin
    for _ in range(transport_rounds):
        server.charges.clear()
        parts.gallery.delete([image.id for image in parts.gallery.page()])
        monkeypatch.setenv(name, address.format(port=server.server_port, closed=closed_port))
        before = parts.ledger.accounts()[provider].month
        job = parts.queue.add(openai_wish() if provider == "openai" else replicate_wish())
        check(parts, job, server, "unreachable", JobState.QUEUED, 0)
        assert parts.ledger.accounts()[provider].month == before
        monkeypatch.setenv(name, good)
        parts.holds.release()
        until_empty(parts)
        assert parts.queue.get(job.id).state is JobState.DONE
        assert len(server.charges) == 1


LATER: dict[str, Callable[[Handler], None]] = {
    "reset": lambda handler: handler.drop(reset=True),
    "502": lambda handler: handler.send_bytes(502, b"<html>", "text/html"),
    "half a body": lambda handler: handler.send_half(b'{"status": "succ'),
}


@pytest.mark.parametrize("trouble", LATER.values(), ids=LATER.keys())
@pytest.mark.parametrize("where", ["asked for", "fetched"])
def test_a_named_prediction_is_asked_for_again_when_the_network_is_back(
    parts: Parts,
    replicate: FakeReplicate,
    where: str,
    trouble: Callable[[Handler], None],
    transport_rounds: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("imagegen_desktop.providers.replicate_api._POLLS", 2)
    for _ in range(transport_rounds):
        replicate.reset()
        parts.gallery.delete([image.id for image in parts.gallery.page()])
        whole = replicate.result
        replicate.story = Story(polls=dict.fromkeys(range(1, 20), trouble) if where == "asked for" else {})
        replicate.result = trouble
        job = parts.queue.add(replicate_wish())
        until_empty(parts)
        until_empty(parts)
        waiting = parts.queue.get(job.id)
        assert (waiting.state, parts.gallery.count()) == (JobState.QUEUED, 0), waiting.error
        assert waiting.error is not None and waiting.error.advice
        replicate.story, replicate.result = Story(), whole
        parts.holds.release()
        until_empty(parts)
        assert (parts.queue.get(job.id).state, len(replicate.charges)) == (JobState.DONE, 1)


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_answers_of_openai(
    parts: Parts, openai: FakeOpenAI, answer: Callable[[Handler, int, int], None], malformed_rounds: int
) -> None:
    openai.malformed = answer
    for _ in range(malformed_rounds):
        openai.charges.clear()
        check(parts, parts.queue.add(openai_wish()), openai, "bad_answer", JobState.FAILED, 1)


def test_other_formats_and_sizes_are_kept_with_a_note(parts: Parts, openai: FakeOpenAI) -> None:
    openai.malformed = picture(png(10, 20))
    job = parts.queue.add(openai_wish())
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.DONE
    image = parts.gallery.page()[0]
    assert (image.width, image.height, image.cost) == (10, 20, None)
    assert parts.gallery.notes(image) == ("came back as 10 × 20",)


def test_there_are_enough_of_them() -> None:
    """Twelve faults of the transport and 25 malformed answers of each provider are promised."""
    assert min(len(OPENAI), len(REPLICATE)) + len(UNREACHABLE) >= 12
    assert min(len(MALFORMED), len(UNNAMED) + len(OUTPUTS) + len(RESULTS)) >= 25


@pytest.mark.parametrize("answer", UNNAMED.values(), ids=UNNAMED.keys())
def test_unnamed_predictions(
    parts: Parts, replicate: FakeReplicate, answer: Callable[[Handler], None], malformed_rounds: int
) -> None:
    replicate.malformed = answer
    for _ in range(malformed_rounds):
        replicate.charges.clear()
        job = parts.queue.add(replicate_wish())
        check(parts, job, replicate, "uncertain", JobState.UNCERTAIN, 1)
        parts.queue.cancel([job.id])


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS.keys())
def test_malformed_outputs(parts: Parts, replicate: FakeReplicate, output: object, malformed_rounds: int) -> None:
    replicate.story = Story(output=lambda url: output)
    for _ in range(malformed_rounds):
        replicate.charges.clear()
        check(parts, parts.queue.add(replicate_wish()), replicate, "bad_answer", JobState.FAILED, 1)


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
def test_malformed_results(
    parts: Parts, replicate: FakeReplicate, result: Callable[[Handler], None], malformed_rounds: int
) -> None:
    replicate.result = result
    for _ in range(malformed_rounds):
        replicate.charges.clear()
        check(parts, parts.queue.add(replicate_wish()), replicate, "bad_answer", JobState.FAILED, 1)
