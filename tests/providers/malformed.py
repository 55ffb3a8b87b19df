"""Answers that no provider should give: each is refused in words of ours and never kept as half a picture."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.fake_openai import encoded, reply
from tests.loopback import Handler
from tests.pictures import png, png_of_rows


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


def made(data: bytes) -> Callable[[Handler], None]:
    return lambda handler: handler.send_bytes(201, data)


def file(data: bytes) -> Callable[[Handler], None]:
    return lambda handler: handler.send_bytes(200, data, "image/png")


#: What Replicate may say to a new prediction: no name, so nobody knows what became of it.
UNNAMED: dict[str, Callable[[Handler], None]] = {
    "no JSON": made(b"{nonsense"),
    "nothing": made(b""),
    "HTML": made(b"<html>"),
    "null": made(b"null"),
    "a list": made(b"[]"),
    "no name": made(b"{}"),
    "a name of nothing": made(b'{"id": ""}'),
    "a number": made(b'{"id": 7}'),
    "an evil name": made(json.dumps({"id": "../../v1/account"}).encode()),
    "an endless name": made(json.dumps({"id": "x" * 1000}).encode()),
    "invalid UTF-8": made(b'{"id": "\xff\xfe"}'),
    "deep nesting": made(b"[" * 100_000),
    "a packed answer": lambda handler: handler.send_bytes(201, b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
}
OUTPUTS: dict[str, object] = {
    "a number": 7,
    "an object": {"image": "x"},
    "nested": [["https://replicate.delivery/x.png"]],
    "a word": "picture",
    "no address": "https://",
    "a broken address": "https://[replicate.delivery/x.png",
    "rubbish in a data URI": "data:image/png;base64,%%%",
    "nothing in a data URI": "data:image/png;base64,",
    "text in a data URI": "data:image/png;base64,aGVsbG8=",
}
RESULTS: dict[str, Callable[[Handler], None]] = {
    "text": file(b"no picture"),
    "nothing": file(b""),
    "HTML": file(b"<html>Welcome to the hotel</html>"),
    "a picture of nothing": file(b"\x89PNG\r\n\x1a\n"),
    "truncated": file(png(640, 640)[:200]),
    "gigantic": file(png_of_rows(60000, 60000, b"")),
    "a GIF": file(b"GIF89a" + bytes(50)),
    "packed": lambda handler: handler.send_bytes(200, b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "gone": lambda handler: handler.send_bytes(410, b""),
    "forbidden": lambda handler: handler.send_bytes(403, b"<xml>", "text/xml"),
}
