"""Replicate's HTTP interface: four calls, a file upload, and what their errors mean for an artist."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from ..domain.errors import (
    BadAnswer,
    KeyRefused,
    ModelGone,
    NotAllowed,
    OutOfCredit,
    ProviderProblem,
    RateLimited,
    Refused,
    Uncertain,
    Unreachable,
)
from .connection import FAILURES, TooLarge, client, never_left
from .downloads import Downloads
from .words import PATIENCE, mapping, parsed, retry_after, their_words

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_POLLS = 6
_CANCEL_AFTER = "30m"
_CANCEL_SECONDS = 3.0
_UNCERTAIN = "It may have been charged; look at replicate.com/predictions. It is not sent again unless you retry it."


class Api:
    """One connection to Replicate for the time of a job. The key goes to `base` and nowhere else."""

    def __init__(
        self, base: str, key: str, silence_seconds: float, result_hosts: tuple[str, ...], own_origin: str
    ) -> None:
        self._base = base
        self._key = key
        self._seconds = silence_seconds
        self._http = client(silence_seconds, {"Authorization": f"Bearer {key}"}, most_bytes=20 * 2**20)
        self._downloads = Downloads(result_hosts, own_origin, silence_seconds)

    async def __aenter__(self) -> Api:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *problem: Any) -> None:
        await self._http.__aexit__(*problem)

    def said(self, text: object) -> str:
        return their_words(text, self._key)

    async def account(self) -> str:
        answer = await self._free("GET", "/v1/account")
        return self.said(answer.get("username"))

    async def model(self, model: str) -> Mapping[str, Any]:
        """A model's description; empty when Replicate does not tell. Raises when the key or the network fails."""
        try:
            return await self._free("GET", f"/v1/models/{quote(model)}")
        except (KeyRefused, Unreachable):
            raise
        except ProviderProblem:
            return {}

    async def create(self, model: str, inputs: Mapping[str, Any]) -> str:
        """Begins a prediction and returns its name. The one call that costs money: sent once, whatever happens."""
        try:
            response = await self._http.post(
                f"{self._base}/v1/models/{quote(model)}/predictions",
                json={"input": inputs},
                headers={"Cancel-After": _CANCEL_AFTER},
            )
            if not response.is_success:
                raise self._problem(response, paid=True)
            name = mapping(parsed(response.content)).get("id")
        except FAILURES as error:
            if never_left(error):
                raise _unreachable() from None
            raise Uncertain("Replicate's answer was lost on the way.", _UNCERTAIN) from None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Uncertain("Replicate took the request and did not name it.", _UNCERTAIN)
        return name

    async def prediction(self, name: str) -> Mapping[str, Any]:
        """How a prediction is doing. Asking is free, so it is asked again when the network hiccups."""
        for number in range(_POLLS):
            try:
                found = await self._free("GET", f"/v1/predictions/{quote(name)}")
                if isinstance(found.get("status"), str):
                    return found
                problem: ProviderProblem = BadAnswer("Replicate sent an answer nobody can read.", "Retry it later.")
            except (Unreachable, RateLimited, BadAnswer) as caught:
                problem = caught
            if number + 1 < _POLLS:
                await asyncio.sleep(problem.retry_after or 0.1 * 2**number)
        if isinstance(problem, BadAnswer):
            # The picture may well be there: whoever retries asks for the same prediction again.
            raise Unreachable("Replicate's answers cannot be read at the moment.", "It is asked again later.")
        raise problem

    async def cancel(self, name: str) -> None:
        """Asks Replicate to stop a prediction; it must not keep the artist waiting."""
        address = f"{self._base}/v1/predictions/{quote(name)}/cancel"
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            async with client(_CANCEL_SECONDS, headers) as http:
                await http.post(address)
        except FAILURES:
            pass  # its deadline ends it

    async def upload(self, name: str, data: bytes) -> str:
        """Where an uploaded picture lies for the model."""
        answer = await self._free("POST", "/v1/files", files={"content": (name, data, "image/png")})
        address = mapping(answer.get("urls")).get("get")
        if not isinstance(address, str) or not address.startswith(("https://", f"{self._base}/")):
            raise BadAnswer("Replicate took the picture and did not say where it lies.", "Retry it.")
        return address

    async def download(self, address: object) -> bytes:
        return await self._downloads.fetch(address)

    async def _free(self, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """A call that costs nothing; its JSON object, or a Problem."""
        try:
            response = await self._http.request(method, self._base + path, **options)
            if not response.is_success:
                raise self._problem(response, paid=False)
            answer = parsed(response.content)
        except (ValueError, TooLarge):
            raise BadAnswer("Replicate sent an answer nobody can read.", "Retry it later.") from None
        except FAILURES:
            raise _unreachable() from None
        if not isinstance(answer, dict):
            raise BadAnswer("Replicate sent an answer nobody can read.", "Retry it later.")
        return answer

    def _problem(self, response: httpx2.Response, paid: bool) -> ProviderProblem:
        try:
            answer = mapping(parsed(response.content))
        except ValueError:
            answer = {}
        said, status = self.said(answer.get("detail") or answer.get("title")), response.status_code
        if status == 401:
            return KeyRefused("Replicate does not take the API token.", "Enter a valid one: `keys set replicate`.")
        if status == 402:
            return OutOfCredit(
                "The Replicate account has no credit left.", "Add some at replicate.com/account/billing, then resume."
            )
        if status == 403:
            return NotAllowed(f"Replicate does not let this account do that: {said}", "See replicate.com/account.")
        if status == 404:
            return ModelGone(f"Replicate does not have this (any more): {said}", "Choose another model.")
        if status == 451 or "nsfw" in said.lower():
            return Refused(f"Replicate refused this prompt: {said}", "Change the prompt.")
        if status == 429:
            return RateLimited(
                "Replicate asks for fewer requests at a time.",
                PATIENCE,
                retry_after(response.headers),
            )
        if status == 503 or (status >= 500 and not paid):
            return RateLimited("Replicate is overloaded.", PATIENCE, retry_after(response.headers))
        if status >= 500:
            return Uncertain(f"Replicate failed while it took the request (status {status}).", _UNCERTAIN)
        return ProviderProblem(f"Replicate did not accept the request: {said}", "Change the request.")


def _unreachable() -> Unreachable:
    return Unreachable("Replicate cannot be reached.", "Check the network connection or the proxy.")
