"""Results are fetched only from where results may lie: nothing inside our network is ever asked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from imagegen_desktop.domain.errors import BadAnswer, Problem
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.providers.downloads import Downloads
from imagegen_desktop.services.assemble import Parts
from tests.fake_openai import FakeOpenAI
from tests.fake_replicate import FakeReplicate, Story
from tests.loopback import Handler, Loopback, Seen
from tests.pictures import png
from tests.services.test_runner import until_empty

from .test_openai import wish as openai_wish
from .test_replicate import wish


class Inside(Loopback):
    """Something on this machine or in this network that nobody outside may reach through us."""

    def answer(self, handler: Handler, seen: Seen) -> None:
        handler.send_bytes(200, png(8, 8), "image/png")


@pytest.fixture
def inside() -> Iterator[Inside]:
    with Inside() as server:
        yield server


def evil(inside: Inside) -> list[str]:
    port = inside.server_port
    return [
        f"http://127.0.0.1:{port}/x.png",
        f"https://127.0.0.1:{port}/x.png",
        f"http://localhost:{port}/x.png",
        f"http://[::1]:{port}/x.png",
        f"http://0.0.0.0:{port}/x.png",
        f"http://2130706433:{port}/x.png",
        f"http://0x7f000001:{port}/x.png",
        f"http://0177.0.0.1:{port}/x.png",
        f"http://127.1:{port}/x.png",
        f"http://[::ffff:127.0.0.1]:{port}/x.png",
        f"http://replicate.delivery@127.0.0.1:{port}/x.png",
        f"https://replicate.delivery:{port}/x.png",
        f"http://replicate.delivery.127.0.0.1.nip.io:{port}/x.png",
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "https://10.0.0.1/x.png",
        "https://192.168.1.1/x.png",
        "https://172.16.0.1/x.png",
        "https://[fe80::1]/x.png",
        "https://[fd00::1]/x.png",
        "https://evilreplicate.delivery/x.png",
        "https://replicate.delivery.evil.example/x.png",
        "https://user:secret@replicate.delivery/x.png",
        "file:///etc/passwd",
        "ftp://replicate.delivery/x.png",
        "gopher://127.0.0.1/",
        "//127.0.0.1/x.png",
        "/etc/passwd",
        "https://",
        "https://replicate.delivery:99999/x.png",
        "javascript:alert(1)",
        "data:text/html,<b>",
        "data:image/png;base64,####",
    ]


def fetch(url: object, own_origin: str = "") -> bytes:
    return asyncio.run(Downloads(("replicate.delivery",), own_origin, 5.0).fetch(url))


def test_addresses_that_point_inside_are_not_fetched(inside: Inside) -> None:
    for url in [*evil(inside), None, 7, ["https://replicate.delivery/x"], {"url": "x"}]:
        with pytest.raises(BadAnswer):
            fetch(url)
    assert inside.requests == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "0.0.0.0"])
def test_a_good_name_that_leads_inside_is_not_fetched(
    address: str, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, inside.server_port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(BadAnswer):
        fetch("https://replicate.delivery/x.png")
    assert inside.requests == []


def test_the_test_host_is_allowed_only_where_the_provider_itself_answers(inside: Inside) -> None:
    assert fetch(f"{inside.origin}/x.png", own_origin=inside.origin) == png(8, 8)
    with pytest.raises(BadAnswer):
        fetch(f"{inside.origin}/x.png", own_origin="http://127.0.0.1:1")


def test_redirects_are_checked_each_and_end(replicate: FakeReplicate, inside: Inside) -> None:
    for target in [*evil(inside), f"{replicate.origin}/out/again.png"]:
        replicate.result = lambda handler, to=target: handler.send_bytes(302, b"", headers={"Location": to})
        with pytest.raises(BadAnswer):
            fetch(f"{replicate.origin}/out/x.png", own_origin=replicate.origin)
    assert inside.requests == []
    assert len([seen for seen in replicate.requests if "again" in seen.path]) == 3


def test_a_result_that_points_inside_fails_the_job(parts: Parts, replicate: FakeReplicate, inside: Inside) -> None:
    replicate.story = Story(output=lambda url: f"{inside.origin}/secret.png")
    job = parts.queue.add(wish())
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.FAILED
    assert inside.requests == []


@pytest.mark.parametrize("kind", ["announced", "sent", "packed"])
def test_a_result_without_end_is_left(kind: str, replicate: FakeReplicate) -> None:
    def endless(handler: Handler) -> None:
        handler.send_response(200)
        if kind == "announced":
            handler.send_header("Content-Length", str(2 * 2**30))
        elif kind == "packed":
            handler.send_header("Content-Encoding", "gzip")
            handler.send_header("Content-Length", "1000")
        else:
            handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while not replicate.closing.is_set():
            handler.send_chunk(bytes(2**20))

    replicate.result = endless
    with pytest.raises(Problem, match="MB"):
        fetch(f"{replicate.origin}/out/x.png", own_origin=replicate.origin)


class Proxy(Loopback):
    """Refuses to pass anything on, and remembers who asked for what."""

    def answer(self, handler: Handler, seen: Seen) -> None:
        handler.send_bytes(502, b"")


def test_the_systems_proxy_is_used_but_not_for_this_machine(
    parts: Parts, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        parts.queue.add(openai_wish())
        until_empty(parts)
        assert (parts.gallery.count(), proxy.requests) == (1, [])
        monkeypatch.setenv("OPENAI_BASE_URL", "https://api.openai.example/v1")
        job = parts.queue.add(openai_wish())
        until_empty(parts)
        waits = parts.queue.get(job.id)
        assert [(seen.method, seen.path) for seen in proxy.requests] == [("CONNECT", "api.openai.example:443")]
        assert waits.error is not None and waits.error.kind == "unreachable"
