"""Connections to the world: how long we wait, how much we swallow. Imported only when one is made."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

CONNECT_SECONDS = 10.0
MOST_BYTES = 150 * 2**20

_NEVER_THROUGH_A_PROXY = ("all://127.0.0.1", "all://localhost", "all://[::1]")

#: What can only happen before a request has left us.
NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


class TooLarge(Exception):
    """An answer is larger than any answer has reason to be, or packed so that nobody knows."""


#: Whatever may be raised while a request is under way: by the transport, or by an answer that is no JSON.
FAILURES = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, TooLarge, ValueError, OSError)


def timeout(seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))


def client(seconds: float, headers: dict[str, str] | None = None, most_bytes: int = MOST_BYTES) -> httpx2.AsyncClient:
    """A client that heeds the system's proxies, follows no redirect, and raises TooLarge before memory is full."""

    async def cap(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise TooLarge("packed")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Capped(response.stream, most_bytes)

    return httpx2.AsyncClient(
        headers={"Accept-Encoding": "identity", **(headers or {})},
        timeout=timeout(seconds),
        event_hooks={"response": [cap]},
        mounts=dict.fromkeys(_NEVER_THROUGH_A_PROXY),
    )


class _Capped(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self._stream:
            seen += len(chunk)
            if seen > self._most:
                raise TooLarge(f"more than {self._most} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def never_left(error: BaseException) -> bool:
    """Whether a transport error says that the request did not leave us, looking through its causes."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, NEVER_LEFT):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
