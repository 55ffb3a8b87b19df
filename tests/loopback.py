"""A provider's server on this machine: speaks HTTP for real, keeps a ledger of what it would bill, breaks on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from tests import canary


@dataclass(frozen=True)
class Seen:
    """A request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Gate:
    """A point of the protocol where the server stops: `reached` says it did, `opened` lets it go on."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)


class Dropped(Exception):
    """The connection was ended on purpose; nothing more is to be written."""


class Handler(BaseHTTPRequestHandler):
    """One connection; every request goes to the server's `answer`."""

    protocol_version = "HTTP/1.1"
    server: Loopback

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.title(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length))
        self.server.requests.append(seen)
        self.server.watch(seen)
        try:
            self.server.answer(self, seen)
        except (Dropped, BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_CONNECT = do_any

    def send_bytes(
        self, status: int, data: bytes, kind: str = "application/json", headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def send_json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        self.send_bytes(status, json.dumps(value).encode(), headers=headers)

    def send_half(self, data: bytes, status: int = 200) -> None:
        """Announces more than it sends, then ends the connection."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(data)
        self.drop()

    def send_events(self, events: Iterable[object], end: bool = True) -> None:
        """Server-sent events in chunks; without `end` the connection breaks before the last chunk."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            name = event.get("type", "message") if isinstance(event, dict) else "message"
            text = event if isinstance(event, str) else json.dumps(event)
            self.send_chunk(f"event: {name}\ndata: {text}\n\n".encode())
        if not end:
            self.drop()
        self.send_chunk(b"")

    def send_chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def drop(self, reset: bool = False) -> None:
        """Ends the connection: closed, or reset so that the other side gets an error at once."""
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR) if not reset else self.connection.close()
        raise Dropped


class Loopback(ThreadingHTTPServer):
    """`requests` is all that came in; `charges` what would be billed; `fault` what goes wrong with paid calls.
    `keys` are those that may come in the header made for them; any other key in any request of the whole test run is
    one of the `leaks`."""

    daemon_threads = True
    keys: tuple[str, ...] = ()
    leaks: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.closing = threading.Event()
        self.reset()
        self._gates: dict[str, Gate] = {}
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="loopback")

    def reset(self) -> None:
        """Forgets what it saw and every fault."""
        self.requests: list[Seen] = []
        self.charges: list[str] = []
        self.fault = ""

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for gate in self._gates.values():
            gate.opened.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, handler: Handler, seen: Seen) -> None:
        raise NotImplementedError

    def watch(self, seen: Seen) -> None:
        others = {name: value for name, value in seen.headers.items() if name != "Authorization"}
        if seen.headers.get("Authorization") not in {f"Bearer {key}" for key in self.keys}:
            others = dict(seen.headers)
        found = canary.hits(seen.body + seen.path.encode() + str(others).encode())
        if found:
            self.leaks.append(f"{type(self).__name__} {seen.method} {seen.path[:80]}: {found}")

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # whoever broke the connection had been told to

    def gate(self, point: str) -> Gate:
        """From now on the server stops at `point` until the gate is opened."""
        return self._gates.setdefault(point, Gate())

    def pass_gate(self, point: str) -> None:
        gate = self._gates.get(point)
        if gate is not None:
            gate.reached.set()
            gate.opened.wait()

    def seen(self, path: str) -> list[Seen]:
        """The requests whose path ends like this."""
        return [request for request in self.requests if request.path.endswith(path)]

    def stay_silent(self) -> None:
        """Never answers; ends with the server."""
        self.closing.wait()
        raise Dropped
