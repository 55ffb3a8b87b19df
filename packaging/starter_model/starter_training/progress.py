"""How far a training run is, counted in steps, so that a busy machine trains the same model as an idle one."""

import math
import time
from dataclasses import dataclass, field


@dataclass
class Progress:
    """A run planned for a number of steps."""

    steps: int
    done_steps: int = 0
    done_seconds: float = 0.0
    _started: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        """Seconds of wall time trained, those before a resume included."""
        return self.done_seconds + time.monotonic() - self._started

    def fraction(self) -> float:
        """0 at the start, 1 where the plan ends."""
        return min(1.0, self.done_steps / self.steps)

    def resume(self, done_steps: int, done_seconds: float) -> None:
        """Carry on from a checkpoint's counts."""
        self.done_steps, self.done_seconds = done_steps, done_seconds
        self._started = time.monotonic()


def learning_rate(peak: float, fraction: float, step: int, warm_up: int) -> float:
    """Linear warm-up, then a cosine that ends at a hundredth of the peak."""
    cosine = 0.5 * (1 + math.cos(math.pi * fraction))
    return peak * min(1.0, (step + 1) / warm_up) * (0.01 + 0.99 * cosine)
