"""Addresses that bytes are fetched from: known hosts over https, at the very address that was checked."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
import urllib.request
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx2


class ForbiddenAddress(Exception):
    """An address lies where nothing is fetched from; the argument is its host."""


class Addresses:
    """`hosts` are domains whose files may be fetched. `own` says whether an http(s)://host:port is allowed beside
    them: one on this machine, which is possible only because the artist set it."""

    def __init__(self, hosts: tuple[str, ...], own: Callable[[str], bool]) -> None:
        self._hosts = hosts
        self._own = own

    async def request(
        self, http: httpx2.AsyncClient, url: str, headers: Mapping[str, str] | None = None
    ) -> httpx2.Request:
        """A request to the very address that was checked, so that a second look-up cannot lead elsewhere.
        Raises ForbiddenAddress, or OSError when the name is not known."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise ForbiddenAddress(url[:100]) from None
        if self._own(f"{parts.scheme}://{parts.netloc}"):
            return http.build_request("GET", url, headers=dict(headers or {}))
        allowed = any(host == known or host.endswith(f".{known}") for known in self._hosts)
        if parts.scheme != "https" or not allowed or parts.username or port != 443:
            raise ForbiddenAddress(host)
        if _through_proxy(host):
            return http.build_request("GET", url, headers=dict(headers or {}))
        pinned = httpx2.URL(url).copy_with(host=await _public_address(host))
        extensions = {"sni_hostname": host}
        return http.build_request("GET", pinned, headers={**(headers or {}), "Host": host}, extensions=extensions)


async def _public_address(host: str) -> str:
    """One address of a host all of whose addresses are public."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, 443, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    if not addresses or not all(address.is_global and not address.is_multicast for address in addresses):
        raise ForbiddenAddress(host)
    return str(random.choice(addresses))  # the next try may reach another of them


def _through_proxy(host: str) -> bool:
    return bool(urllib.request.getproxies().get("https")) and not urllib.request.proxy_bypass(host)
