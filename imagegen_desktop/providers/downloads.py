"""Fetching results from file hosts: without any key, only from where results may lie, never from inside our network."""

from __future__ import annotations

import asyncio
import base64
import binascii
from urllib.parse import urljoin

import httpx2

from ..domain.errors import BadAnswer, Unreachable
from .addresses import Addresses, ForbiddenAddress
from .connection import TooLarge, client

MOST_REDIRECTS = 3
MOST_BYTES = 100 * 2**20
_TRIES = 3
_PASSING = (408, 425, 429)
_EVIL = "The provider's result lies where we fetch nothing from."
_EVIL_ADVICE = "Retry it; if it happens again, do not trust that model."


class Downloads:
    """`hosts` are the domains results lie on. `own_origin`, an http(s)://host:port on this machine, is allowed beside
    them only because the provider itself was set to answer there."""

    def __init__(self, hosts: tuple[str, ...], own_origin: str, silence_seconds: float) -> None:
        self._addresses = Addresses(hosts, lambda origin: bool(own_origin) and origin == own_origin)
        self._seconds = silence_seconds

    async def fetch(self, url: object) -> bytes:
        """The bytes behind a result's address; raises BadAnswer, or Unreachable when the host does not answer."""
        if not isinstance(url, str) or len(url) > 2 * MOST_BYTES:
            raise BadAnswer(_EVIL, _EVIL_ADVICE)
        if url.startswith("data:"):
            return _from_data(url)
        for number in range(_TRIES):
            try:
                return await self._follow(url)
            except ForbiddenAddress:
                raise BadAnswer(_EVIL, _EVIL_ADVICE) from None
            except TooLarge:
                raise BadAnswer(f"The result is larger than {MOST_BYTES // 2**20} MB.", _EVIL_ADVICE) from None
            except (httpx2.HTTPError, OSError):
                if number + 1 == _TRIES:
                    break
                await asyncio.sleep(0.2 * 2**number)
        raise Unreachable("The finished picture cannot be fetched.", "It is tried again; results are kept for an hour.")

    async def _follow(self, url: str) -> bytes:
        for _ in range(MOST_REDIRECTS + 1):
            async with client(self._seconds, most_bytes=MOST_BYTES) as http:
                request = await self._addresses.request(http, url)
                response = await http.send(request, stream=True)
                try:
                    if not response.is_redirect:
                        return await _body(response)
                    url = urljoin(url, response.headers.get("location", ""))
                finally:
                    await response.aclose()
        raise BadAnswer(_EVIL, _EVIL_ADVICE)


async def _body(response: httpx2.Response) -> bytes:
    if 400 <= response.status_code < 500 and response.status_code not in _PASSING:
        raise BadAnswer("The result is no longer there.", "Retry it; providers keep results for about an hour.")
    response.raise_for_status()
    if int(response.headers.get("content-length") or 0) > MOST_BYTES:
        raise TooLarge("announced")
    return await response.aread()


def _from_data(url: str) -> bytes:
    head, _, text = url.partition(",")
    try:
        data = base64.b64decode(text, validate=True) if head.endswith(";base64") else b""
    except (binascii.Error, ValueError):
        data = b""
    if not data or len(data) > MOST_BYTES:
        raise BadAnswer("The result is cut off.", "Retry it; it may have been charged.")
    return data
