"""Deaths of the engine in every way it can die, under the services with two workers, as the window has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, cycle, islice

import pytest

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.providers import engine_process, engine_pulse
from imagegen_desktop.services.assemble import Parts
from tests.faults.scripted import wish
from tests.services.conftest import Opened

pytestmark = pytest.mark.slow

KINDS = ("kill", "segv", "abort", "exit0", "exit1", "close", "babble")
SECONDS = 120.0


@pytest.fixture
def no_giving_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here engines die faster than any real one: five quick deaths must not mean "restart it by hand"."""
    monkeypatch.setattr(engine_process, "_QUICK_DEATH_SECONDS", 0.0)


@contextmanager
def working(parts: Parts) -> Iterator[None]:
    """Two threads drive jobs, as in the window."""
    closing = threading.Event()

    def work() -> None:
        while not closing.is_set():
            if not parts.runner.work_once(closing.is_set):
                parts.runner.wait_for_work(0.05)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        closing.set()
        parts.runner.stop()
        for thread in threads:
            thread.join(SECONDS)
        assert not any(thread.is_alive() for thread in threads)


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it took too long"
        time.sleep(0.02)


def ended(parts: Parts, jobs: list[str]) -> Callable[[], bool]:
    last = {JobState.DONE, JobState.FAILED, JobState.PARKED, JobState.CANCELLED}
    return lambda: all(parts.queue.get(job).state in last for job in jobs)


def check_images(parts: Parts, expected: int) -> None:
    made = [(image.job, image.index) for image in parts.gallery.page(limit=100_000)]
    assert len(made) == len(set(made)) == expected
    files = list((parts.home.root / "images").rglob("*.png"))
    assert len(files) == expected, "an image was drawn and kept twice"


def test_a_death_of_any_kind_costs_nothing(parts: Parts, fault_count: int, no_giving_up: None) -> None:
    """`--faults 5` is 50 deaths, `--faults 100` is 1,000."""
    deaths = fault_count * 10
    prompts = [
        f"[die={kind}@{1 + number % 3}][once] {number}" for number, kind in zip(count(), islice(cycle(KINDS), deaths))
    ]
    jobs = [
        job.id for job in parts.queue.add_many([wish(prompt, steps=3, count=1 + len(prompt) % 3) for prompt in prompts])
    ]
    began = time.monotonic()
    with working(parts):
        until(ended(parts, jobs), SECONDS + 2 * deaths)
        states = {parts.queue.get(job).state for job in jobs}
        until(lambda: parts.engines.first.status().state == "ready", 30)
    assert states == {JobState.DONE}
    assert parts.engines.first.status().restarts == deaths
    check_images(parts, sum(parts.queue.get(job).request.count for job in jobs))
    print(f"{deaths} deaths in {time.monotonic() - began:.0f} s, every job done, 0 images lost or doubled")


@pytest.mark.parametrize("kind", ["hang", "silence"])
def test_an_engine_that_stands_still_is_noticed_and_ended(
    open_parts: Opened,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    no_giving_up: None,
) -> None:
    for limit in ("_SILENCE_SECONDS", "_STEP_SECONDS", "_PHASE_SECONDS"):
        monkeypatch.setattr(engine_pulse, limit, 2.0)
    parts = open_parts()
    job = parts.queue.add(wish(f"[die={kind}@2][once]", count=2)).id
    with working(parts):
        until(ended(parts, [job]), 60)
        assert parts.queue.get(job).state is JobState.DONE
        until(lambda: parts.engines.first.status().state == "ready", 30)
    assert parts.engines.first.status().restarts == 1
    check_images(parts, 2)


def test_poison_first_in_a_queue_of_fifty_is_parked_and_the_rest_is_done(parts: Parts) -> None:
    poison = parts.queue.add(wish("[die=segv@1]")).id
    others = [job.id for job in parts.queue.add_many([wish(f"{number}") for number in range(49)])]
    with working(parts):
        until(ended(parts, [poison, *others]))
    parked = parts.queue.get(poison)
    assert (parked.state, parked.attempts) == (JobState.PARKED, 2)
    assert parked.error is not None and parked.error.advice
    assert {parts.queue.get(job).state for job in others} == {JobState.DONE}
    assert parts.engines.first.status().restarts == 2
    check_images(parts, 49)
