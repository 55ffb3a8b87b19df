"""Replicate on this machine: models and their schemas, predictions that take a few looks, files, results, faults."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests import canary
from tests.loopback import Handler, Loopback, Seen
from tests.pictures import png

TOKEN = canary.REPLICATE

SCHEMA: dict[str, Any] = {
    "Input": {
        "properties": {
            "prompt": {"type": "string"},
            "aspect_ratio": {"allOf": [{"$ref": "#/components/schemas/aspect_ratio"}], "default": "1:1"},
            "seed": {"type": "integer"},
            "image": {"type": "string", "format": "uri"},
            "mask": {"type": "string", "format": "uri"},
            "prompt_strength": {"type": "number", "minimum": 0, "maximum": 1},
            "num_inference_steps": {"type": "integer", "minimum": 1, "maximum": 4},
            "output_format": {"allOf": [{"$ref": "#/components/schemas/output_format"}]},
        }
    },
    "aspect_ratio": {"enum": ["1:1", "16:9", "3:2", "9:16"], "type": "string"},
    "output_format": {"enum": ["webp", "jpg", "png"], "type": "string"},
}

#: Answers to a new prediction for which nothing is made or billed.
REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "revoked": (401, {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token"}),
    "no credit": (402, {"title": "Insufficient credit", "detail": "You have insufficient credit."}),
    "forbidden": (403, {"detail": "Not for you."}),
    "gone": (404, {"detail": "The requested resource could not be found."}),
    "invalid": (422, {"title": "Input validation failed", "detail": "- input.steps: Must be less than 50"}),
    "moderation": (400, {"detail": "NSFW content detected."}),
    "451": (451, {"detail": "Not here."}),
    "rate": (429, {"detail": "Request was throttled. Your rate limit resets in ~1s."}),
    "rate without time": (429, {"detail": "Request was throttled."}),
    "503": (503, {"detail": "Overloaded"}),
}


@dataclass
class Prediction:
    """`looks` is how often it was asked for; it is done at the third."""

    name: str
    input: dict[str, Any]
    looks: int = 0
    status: str = "starting"
    output: Any = None


@dataclass
class Story:
    """How a prediction goes: what it ends with, and in what."""

    status: str = "succeeded"
    error: str | None = None
    output: Callable[[str], Any] = lambda url: [url]
    polls: dict[int, Callable[[Handler], None]] = field(default_factory=dict)


class FakeReplicate(Loopback):
    """`fault` concerns the creation of a prediction; `story` what becomes of it; `results` what its file is."""

    keys = (TOKEN,)

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()
        self.reset()

    def reset(self) -> None:
        """A server in order, which has seen nothing yet."""
        super().reset()
        self.story = Story()
        self.schema: dict[str, Any] | None = SCHEMA
        self.result: Callable[[Handler], None] = lambda handler: handler.send_bytes(200, png(64, 48), "image/png")
        self.predictions: dict[str, Prediction] = {}
        self.malformed: Callable[[Handler], None] | None = None
        self.cancel_fault = False

    def answer(self, handler: Handler, seen: Seen) -> None:
        path = seen.path
        if path.startswith("/out/"):
            self.pass_gate("downloading")
            return self.result(handler)
        if seen.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._refuse(handler, "revoked")
        if path == "/v1/account":
            return handler.send_json(200, {"type": "user", "username": "fox"})
        if path == "/v1/files":
            return handler.send_json(201, {"id": "f1", "urls": {"get": f"{self.origin}/v1/files/f1"}})
        if path.endswith("/cancel"):
            if self.cancel_fault:
                handler.drop(reset=True)
            self.predictions[path.split("/")[-2]].status = "canceled"
            return handler.send_json(200, {"id": path.split("/")[-2], "status": "canceled"})
        if path.startswith("/v1/predictions/"):
            return self._look(handler, path.rpartition("/")[2])
        if path.endswith("/predictions") and seen.method == "POST":
            return self._create(handler, seen)
        if path.startswith("/v1/models/") and self.schema is not None:
            self.pass_gate("schema")
            schemas = {"components": {"schemas": self.schema}}
            return handler.send_json(200, {"latest_version": {"id": "v", "openapi_schema": schemas}})
        return handler.send_json(404, {"detail": "not found", "status": 404})

    def _refuse(self, handler: Handler, name: str) -> None:
        status, body = REFUSALS[name]
        handler.send_json(status, body | {"status": status}, {"Retry-After": "1"} if name == "rate" else {})

    def _create(self, handler: Handler, seen: Seen) -> None:
        self.pass_gate("arrived")
        if self.fault in REFUSALS:
            return self._refuse(handler, self.fault)
        made = Prediction(f"p{next(self._numbers)}", seen.json["input"])
        self.predictions[made.name] = made
        self.charges.append(made.name)
        self.pass_gate("billed")
        if self.fault == "silence":
            self.stay_silent()
        elif self.fault in ("closed", "reset"):
            handler.drop(reset=self.fault == "reset")
        elif self.fault == "half a body":
            handler.send_half(b'{"id": "p', 201)
        elif self.fault in ("500", "502", "504"):
            return handler.send_bytes(int(self.fault), b"<html>Bad gateway</html>", "text/html")
        if self.malformed is not None:
            return self.malformed(handler)
        return handler.send_json(201, self._row(made))

    def _look(self, handler: Handler, name: str) -> None:
        found = self.predictions.get(name)
        if found is None:
            return handler.send_json(404, {"detail": "not found"})
        self.pass_gate("polling")
        found.looks += 1
        trouble = self.story.polls.get(found.looks)
        if trouble is not None:
            return trouble(handler)
        if found.status == "canceled":
            return handler.send_json(200, self._row(found))
        found.status = self.story.status if found.looks >= 3 else "processing"
        if found.status == "succeeded":
            found.output = self.story.output(f"{self.origin}/out/{name}.png")
        return handler.send_json(200, self._row(found))

    def _row(self, made: Prediction) -> dict[str, Any]:
        done = min(made.looks, 3)
        return {
            "id": made.name,
            "status": made.status,
            "input": made.input,
            "output": made.output,
            "logs": f"Using seed: 1\n {done * 25}%|██  | {done}/4 [00:01<00:01]\n" if done else "",
            "error": self.story.error if made.status == "failed" else None,
            "urls": {"get": f"{self.origin}/v1/predictions/{made.name}"},
        }
