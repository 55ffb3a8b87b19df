"""Addresses we talk to: https anywhere, http on this very machine only."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ..domain.errors import BadInput


def checked_endpoint(url: str, name: str) -> str:
    """A base URL without its last slash; raises BadInput unless it is https, or http on this very machine."""
    try:
        parts = urlsplit(url.strip())
        usable = bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))):
        raise BadInput(name, url, "an https address, or http on this machine (127.0.0.1)")
    return url.strip().rstrip("/")


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
