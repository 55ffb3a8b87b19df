"""The engine's front door: a child process that reads commands and writes events, and draws in between."""

from __future__ import annotations

from ..protocol.framing import FrameError
from ..protocol.messages import Start
from .process import die_with_parent, private_channel, stay_closed, stay_offline
from .worker import Worker

_NOT_SPOKEN_TO = 2


def main() -> int:
    channel = private_channel()
    die_with_parent()
    stay_offline()
    stay_closed()
    try:
        start = channel.receive()
    except FrameError:
        return _NOT_SPOKEN_TO
    if not isinstance(start, Start):
        return 0 if start is None else _NOT_SPOKEN_TO
    return Worker(channel, start).serve()


if __name__ == "__main__":
    raise SystemExit(main())
