"""The engine's pulse: whether it still gets somewhere, told from what it says and how long it said nothing."""

from __future__ import annotations

import collections
import statistics
import time
from collections.abc import Callable

from ..protocol.messages import Decoding, Heartbeat, Idle, Loading, Message, Started, Step

_SILENCE_SECONDS = 30.0
_STEP_SECONDS = 30.0
_PHASE_SECONDS = 600.0


class Pulse:
    """Decides from the messages heard whether the engine still gets somewhere.

    Time in which this process itself was asleep (a suspended laptop) is not counted: `is_hanging` is asked
    every second, and a longer gap between two questions is our own absence.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.verdict = ""
        self._clock = clock
        self._heard = self._progressed = self._asked = clock()
        self._allowed = _PHASE_SECONDS
        self._steps: collections.deque[float] = collections.deque(maxlen=20)

    def felt(self, message: Message) -> None:
        self._heard = self._clock()
        if isinstance(message, Heartbeat):
            if not message.job:
                self._progressed = self._heard
            return
        self._progressed = self._heard
        if isinstance(message, Step):
            self._steps.append(message.seconds)
            self._allowed = max(_STEP_SECONDS, 20 * statistics.median(self._steps))
        elif isinstance(message, Loading | Decoding | Started | Idle):
            self._allowed = _PHASE_SECONDS

    def is_hanging(self) -> bool:
        now = self._clock()
        absent = now - self._asked - 5.0
        self._asked = now
        if absent > 0:
            self._heard += absent
            self._progressed += absent
        if now - self._heard > _SILENCE_SECONDS:
            self.verdict = "The engine stopped answering."
        elif now - self._progressed > self._allowed:
            self.verdict = "The engine got stuck in a step."
        return bool(self.verdict)
