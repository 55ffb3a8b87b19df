"""The fault table: every way a provider or the network can fail, its right class, right words, nothing half, nothing
paid twice. Each once here; IMAGEGEN_TEST_ROUNDS=20 for the long run (README.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from imagegen_desktop.domain.job import WAITING, Job, JobState
from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import Parts, assemble
from tests.fake_openai import KEY, FakeOpenAI, encoded, reply
from tests.fake_replicate import TOKEN, FakeReplicate, Story
from tests.loopback import Handler, Loopback
from tests.pictures import png, png_of_rows
from tests.services.test_runner import until_empty

from .conftest import FAKE, ROUNDS
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
    ("no credit", "out_of_credit", JobState.QUEUED, 0),
    ("revoked", "key", JobState.QUEUED, 0),
    ("forbidden", "not_allowed", JobState.FAILED, 0),
    ("gone", "model_gone", JobState.FAILED, 0),
    ("invalid", "provider", JobState.FAILED, 0),
    ("503", "rate_limited", JobState.QUEUED, 0),
    ("500", "uncertain", JobState.UNCERTAIN, 1),
    ("502", "uncertain", JobState.UNCERTAIN, 1),
    ("504", "uncertain", JobState.UNCERTAIN, 1),
    ("closed", "uncertain", JobState.UNCERTAIN, 1),
    ("reset", "uncertain", JobState.UNCERTAIN, 1),
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
def test_openai(parts: Parts, openai: FakeOpenAI, fault: str, kind: str, state: JobState, charges: int) -> None:
    openai.fault = fault
    for _ in range(ROUNDS):
        openai.charges.clear()
        parts.holds.release()
        job = parts.queue.add(openai_wish())
        check(parts, job, openai, kind, state, charges)
        parts.queue.cancel([job.id]) if state is not JobState.FAILED else None


@pytest.mark.parametrize(("fault", "kind", "state", "charges"), REPLICATE, ids=[row[0] for row in REPLICATE])
def test_replicate(
    parts: Parts, replicate: FakeReplicate, fault: str, kind: str, state: JobState, charges: int
) -> None:
    replicate.fault = fault
    for _ in range(ROUNDS):
        replicate.charges.clear()
        parts.holds.release()
        job = parts.queue.add(replicate_wish())
        check(parts, job, replicate, kind, state, charges)
        parts.queue.cancel([job.id]) if state is not JobState.FAILED else None


UNREACHABLE = {
    "nobody listens": "http://127.0.0.1:9",
    "no such name": "https://nowhere.invalid",
    "no TLS there": "https://127.0.0.1:{port}",
}


@pytest.mark.parametrize("address", UNREACHABLE.values(), ids=UNREACHABLE.keys())
@pytest.mark.parametrize("provider", ["openai", "replicate"])
def test_what_never_left_waits_and_goes_on_by_itself(
    parts: Parts,
    openai: FakeOpenAI,
    replicate: FakeReplicate,
    provider: str,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server: Loopback = openai if provider == "openai" else replicate
    name = f"{provider.upper()}_BASE_URL"
    good = openai.url if provider == "openai" else replicate.origin
    monkeypatch.setenv(name, address.format(port=server.server_port))
    before = parts.ledger.accounts()[provider].month
    request = openai_wish() if provider == "openai" else replicate_wish()
    job = parts.queue.add(request)
    check(parts, job, server, "unreachable", JobState.QUEUED, 0)
    assert parts.ledger.accounts()[provider].month == before
    monkeypatch.setenv(name, good)
    parts.holds.release()
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.DONE
    assert len(server.charges) == 1


def events(*made: object) -> Callable[[Handler, int, int], None]:
    return lambda handler, width, height: handler.send_events(made)


def picture(data: bytes) -> Callable[[Handler, int, int], None]:
    return reply({"data": [{"b64_json": encoded(data)}], "usage": {"output_tokens": "many"}})


def raw(data: bytes, kind: str = "application/json", **headers: str) -> Callable[[Handler, int, int], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, width, height: handler.send_bytes(200, data, kind, named)


def endless(handler: Handler, width: int, height: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while not handler.server.closing.is_set():
        handler.send_chunk(b"data: " + bytes(4 * 2**20))


MALFORMED: dict[str, Callable[[Handler, int, int], None]] = {
    "no JSON": raw(b"{nonsense"),
    "nothing": raw(b""),
    "HTML": raw(b"<html>Welcome to the hotel</html>", "text/html"),
    "a list": reply([]),
    "null": reply(None),
    "a number": reply(7),
    "an empty object": reply({}),
    "no data": reply({"data": []}),
    "data null": reply({"data": None}),
    "data of text": reply({"data": "picture"}),
    "data of numbers": reply({"data": [1, 2]}),
    "base64 null": reply({"data": [{"b64_json": None}]}),
    "base64 a number": reply({"data": [{"b64_json": 7}]}),
    "base64 empty": reply({"data": [{"b64_json": ""}]}),
    "base64 cut in half": reply({"data": [{"b64_json": encoded(png(64, 64))[:101]}]}),
    "base64 with rubbish": reply({"data": [{"b64_json": "%%%"}]}),
    "text instead of a picture": picture(b"this is no picture"),
    "a truncated picture": picture(png(640, 640)[:200]),
    "a picture of nothing": picture(b"\x89PNG\r\n\x1a\n"),
    "a gigantic picture": picture(png_of_rows(60000, 60000, b"")),
    "a GIF": picture(b"GIF89a" + bytes(50)),
    "a packed answer": raw(b"\x1f\x8b" + bytes(50), Content_Encoding="gzip"),
    "events of nonsense": events("{nonsense"),
    "events of a list": events([1, 2]),
    "no event": events(),
    "unknown events": events({"type": "something.else"}),
    "an event without picture": events({"type": "image_generation.completed"}),
    "invalid UTF-8": raw(b'{"data": "\xff\xfe"}'),
    "deep nesting": raw(b"[" * 100_000),
    "an answer without end": endless,
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_answers_of_openai(
    parts: Parts, openai: FakeOpenAI, answer: Callable[[Handler, int, int], None]
) -> None:
    openai.malformed = answer
    for _ in range(ROUNDS):
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


def made(data: bytes) -> Callable[[Handler], None]:
    return lambda handler: handler.send_bytes(201, data)


#: What Replicate may say to a new prediction: no name, so nobody knows what became of it.
UNNAMED: dict[str, Callable[[Handler], None]] = {
    "no JSON": made(b"{nonsense"),
    "HTML": made(b"<html>"),
    "a list": made(b"[]"),
    "no name": made(b"{}"),
    "a number": made(b'{"id": 7}'),
    "an evil name": made(json.dumps({"id": "../../v1/account"}).encode()),
    "an endless name": made(json.dumps({"id": "x" * 1000}).encode()),
}
OUTPUTS: dict[str, object] = {
    "a number": 7,
    "an object": {"image": "x"},
    "nested": [["https://replicate.delivery/x.png"]],
    "a word": "picture",
    "rubbish in a data URI": "data:image/png;base64,%%%",
    "text in a data URI": "data:image/png;base64,aGVsbG8=",
}
RESULTS: dict[str, Callable[[Handler], None]] = {
    "text": lambda handler: handler.send_bytes(200, b"no picture"),
    "nothing": lambda handler: handler.send_bytes(200, b""),
    "truncated": lambda handler: handler.send_bytes(200, png(640, 640)[:200], "image/png"),
    "gone": lambda handler: handler.send_bytes(410, b""),
    "forbidden": lambda handler: handler.send_bytes(403, b"<xml>", "text/xml"),
}


@pytest.mark.parametrize("answer", UNNAMED.values(), ids=UNNAMED.keys())
def test_unnamed_predictions(parts: Parts, replicate: FakeReplicate, answer: Callable[[Handler], None]) -> None:
    replicate.malformed = answer
    check(parts, parts.queue.add(replicate_wish()), replicate, "uncertain", JobState.UNCERTAIN, 1)


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS.keys())
def test_malformed_outputs(parts: Parts, replicate: FakeReplicate, output: object) -> None:
    replicate.story = Story(output=lambda url: output)
    check(parts, parts.queue.add(replicate_wish()), replicate, "bad_answer", JobState.FAILED, 1)


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())
def test_malformed_results(parts: Parts, replicate: FakeReplicate, result: Callable[[Handler], None]) -> None:
    replicate.result = result
    check(parts, parts.queue.add(replicate_wish()), replicate, "bad_answer", JobState.FAILED, 1)
