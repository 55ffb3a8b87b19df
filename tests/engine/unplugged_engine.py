"""The engine without a network: in a namespace of its own where the system allows it, and dead at the first attempt.

Exit status 97 means that something tried to reach out.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from imagegen_desktop.engine.__main__ import main

_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
REACHED_OUT = 97


def unplug() -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if libc.unshare(_NEW_NETWORK) != 0:
            libc.unshare(_NEW_USER | _NEW_NETWORK)
    sys.addaudithook(_die_on_the_network)


def _die_on_the_network(event: str, details: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        print(f"the engine tried {event} {details[1:]}", file=sys.stderr)
        os._exit(REACHED_OUT)


if __name__ == "__main__":
    unplug()
    raise SystemExit(main())
