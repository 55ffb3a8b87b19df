"""A provider in trouble waits alone: once for all jobs that meet the trouble together, longer when it comes back."""

from __future__ import annotations

from imagegen_desktop.domain.errors import OutOfCredit, Unreachable
from imagegen_desktop.services.announce import Announcer, Notice
from imagegen_desktop.services.holds import Holds


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_jobs_side_by_side_meet_a_trouble_once_and_a_trouble_that_comes_back_lasts_longer() -> None:
    clock, announce, said = Clock(), Announcer(), []
    announce.subscribe(lambda news: said.append(news.text) if isinstance(news, Notice) else None)
    holds, trouble = Holds(announce, clock), Unreachable("OpenAI cannot be reached.")

    def until_free() -> float:
        began = clock.now
        while holds.reason("openai") is not None:
            clock.now += 1
        return clock.now - began

    for _ in range(3):
        holds.hold("openai", "OpenAI", trouble)
    assert holds.reason("openai") is trouble and holds.reason("replicate") is None
    first = until_free()
    holds.hold("openai", "OpenAI", trouble)
    assert until_free() == 2 * first
    assert said == ["OpenAI waits: OpenAI cannot be reached."]
    holds.hold("openai", "OpenAI", OutOfCredit("No credit."))
    assert len(said) == 2
    holds.release("openai")
    assert holds.reason("openai") is None
