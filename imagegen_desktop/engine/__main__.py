"""The engine's front door: a child process that reads commands and writes events, and draws in between."""

from __future__ import annotations

from ..protocol.messages import Start
from .process import die_with_parent, private_channel, stay_offline
from .worker import Worker


def main() -> int:
    channel = private_channel()
    die_with_parent()
    stay_offline()
    start = channel.receive()
    if not isinstance(start, Start):
        return 0 if start is None else 2
    return Worker(channel, start).serve()


if __name__ == "__main__":
    raise SystemExit(main())
