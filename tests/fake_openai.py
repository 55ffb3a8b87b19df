"""OpenAI on this machine: pictures, edits, streams, words, models, and every fault a client has to bear."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tests import canary
from tests.loopback import Handler, Loopback, Seen
from tests.pictures import png

KEY = canary.OPENAI
USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"text_tokens": 20, "image_tokens": 0},
    "output_tokens": 1000,
    "total_tokens": 1020,
}
COST = (20 * 5 + 1000 * 30) / 1e6
WORDS = "a red fox, golden hour light, shallow depth of field"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def error(status: int, code: str, kind: str = "invalid_request_error", message: str = "No.") -> Callable[..., None]:
    def send(handler: Handler) -> None:
        body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
        handler.send_json(status, body, {"x-request-id": "req_fake", "Retry-After": "1"} if status == 429 else {})

    return send


#: Answers instead of a picture for which nothing is billed.
REFUSALS: dict[str, Callable[[Handler], None]] = {
    "moderation": error(400, "moderation_blocked", "image_generation_user_error", "safety_violations=[violence]."),
    "451": error(451, "", "", "Not here."),
    "no credit": error(429, "credit_balance_exhausted", "insufficient_quota"),
    "rate": error(429, "rate_limit_exceeded", "requests"),
    "rate without time": lambda handler: handler.send_json(429, {"error": {"code": "rate_limit_exceeded"}}),
    "revoked": error(401, "invalid_api_key", message=f"Incorrect API key provided: {KEY}"),
    "unverified": error(403, "", message="Your organization must be verified."),
    "gone": error(404, "model_not_found"),
    "bad request": error(400, "invalid_size", message=f"<b>Invalid</b>\x1b[31m size {KEY}"),
    "500": error(500, "server_error"),
    "503": error(503, "overloaded"),
}


class FakeOpenAI(Loopback):
    """`fault` names one of REFUSALS, a transport fault, or a malformed answer (`malformed`, bytes or events)."""

    keys = (KEY, canary.WRITER)

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """A server in order, which has seen nothing yet."""
        super().reset()
        self.malformed: Callable[[Handler, int, int], None] | None = None
        self.revised_prompt: str | None = None
        self.streams = True
        self.needs_key = True

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    def answer(self, handler: Handler, seen: Seen) -> None:
        if self.needs_key and seen.headers.get("Authorization") != f"Bearer {KEY}":
            return error(401, "invalid_api_key")(handler)
        if seen.path == "/v1/models":
            models = [_model("gpt-image-2.6-flare"), _model("gpt-image-2") | {"shutdown_date": "2027-03-01"}]
            return handler.send_json(200, {"object": "list", "data": models})
        if seen.path in ("/v1/images/generations", "/v1/images/edits"):
            return self._picture(handler, seen)
        if seen.path == "/v1/responses":
            return self._words(handler, chat=False)
        if seen.path == "/v1/chat/completions":
            return self._words(handler, chat=True)
        return error(404, "not_found")(handler)

    def _picture(self, handler: Handler, seen: Seen) -> None:
        wish = seen.json if "json" in seen.headers.get("Content-Type", "") else form_of(seen)
        self.pass_gate("arrived")
        if self.fault in REFUSALS:
            return REFUSALS[self.fault](handler)
        self.charges.append(str(wish["prompt"]))
        self.pass_gate("billed")
        self._break(handler)
        width, height = map(int, str(wish["size"]).split("x"))
        if self.malformed is not None:
            return self.malformed(handler, width, height)
        kind = "image_edit" if seen.path.endswith("edits") else "image_generation"
        picture = encoded(png(width, height))
        if not self.streams:
            data = [{"b64_json": picture, "revised_prompt": self.revised_prompt}]
            return handler.send_json(200, {"created": 1, "data": data, "usage": USAGE}, {"x-request-id": "req_fake"})
        events = self._events(kind, picture, int(wish.get("partial_images") or 0))
        return handler.send_events(events, end=self.fault != "cut off")

    def _events(self, kind: str, picture: str, partial: int) -> Any:
        small = encoded(png(64, 64, (0, 0, 200)))
        for index in range(partial):
            yield {"type": f"{kind}.partial_image", "partial_image_index": index, "b64_json": small}
            self.pass_gate("partial")
        if self.fault == "cut off":
            return
        if self.fault == "refused in mid-stream":
            self.charges.pop()
            inner = {"type": "image_generation_user_error", "code": "moderation_blocked", "message": "rejected"}
            yield {"type": "error", "error": inner}
            return
        self.pass_gate("finished")
        extra = {"revised_prompt": self.revised_prompt} if self.revised_prompt else {}
        yield {"type": f"{kind}.completed", "b64_json": picture, "usage": USAGE, **extra}

    def _break(self, handler: Handler) -> None:
        if self.fault == "silence":
            self.stay_silent()
        elif self.fault in ("closed", "reset"):
            handler.drop(reset=self.fault == "reset")
        elif self.fault in ("502", "504"):
            handler.send_bytes(int(self.fault), b"<html>Bad gateway</html>", "text/html")
            raise BrokenPipeError
        elif self.fault == "half a body":
            handler.send_half(b'{"data": [{"b64_json": "')

    def _words(self, handler: Handler, chat: bool) -> None:
        faults: dict[str, Callable[[], None]] = {
            "401": lambda: error(401, "invalid_api_key")(handler),
            "500": lambda: error(500, "server_error")(handler),
            "closed": handler.drop,
            "nonsense": lambda: handler.send_bytes(200, b"<html>"),
            "empty": lambda: handler.send_json(200, {}),
            "error event": lambda: handler.send_events([{"type": "error", "error": {"message": "no"}}]),
            "endless": lambda: handler.send_events([self._piece("x" * 9000, chat)]),
        }
        if self.fault in faults:
            return faults[self.fault]()
        self.charges.append("words")
        usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
        if not self.streams:
            part = {"type": "output_text", "text": WORDS}
            whole = {"choices": [{"message": {"content": WORDS}}]} if chat else {"output": [{"content": [part]}]}
            return handler.send_json(200, whole | {"usage": usage})
        self.pass_gate("words")
        end: object = "[DONE]" if chat else {"type": "response.completed", "response": {"usage": usage}}
        return handler.send_events([*(self._piece(f"{word} ", chat) for word in WORDS.split()), end])

    def _piece(self, text: str, chat: bool) -> object:
        if chat:
            return {"choices": [{"index": 0, "delta": {"content": text}}]}
        return {"type": "response.output_text.delta", "delta": text}


def form_of(seen: Seen) -> dict[str, Any]:
    """The fields of a multipart body; files as bytes."""
    boundary = seen.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
    fields: dict[str, Any] = {}
    for part in seen.body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        fields[name] = value if b"filename=" in head else value.decode()
    return fields


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1, "owned_by": "system", "shutdown_date": None}


def reply(data: object) -> Callable[[Handler, int, int], None]:
    """A JSON body whatever was asked."""
    return lambda handler, width, height: handler.send_bytes(200, json.dumps(data).encode())
