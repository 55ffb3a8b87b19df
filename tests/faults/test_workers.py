"""Several workers at once on two engines that die by chance, while jobs are cancelled, paused and resumed."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import Problem
from imagegen_desktop.domain.job import FINISHED, JobState
from imagegen_desktop.protocol.messages import Failed, Step
from imagegen_desktop.providers.base import Assignment, Capabilities, ProviderEvent
from imagegen_desktop.services.assemble import Parts
from tests.faults.scripted import ScriptedProvider, new_home, opened, wish
from tests.faults.test_engine_deaths import until

pytestmark = pytest.mark.slow

PLACES = 2


class Mortal(ScriptedProvider):
    """Draws two jobs at a time; each image dies of its engine once in ten times."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.twice_at_once: list[str] = []
        self._chance = chance
        self._drawn: Counter[str] = Counter()
        self._lock = threading.Lock()

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), places=PLACES)

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        job = assignment.job.id
        with self._lock:
            self._drawn[job] += 1
            if self._drawn[job] > 1:
                self.twice_at_once.append(job)
        try:
            for event in super().run(assignment):
                if isinstance(event, Step):
                    time.sleep(self._chance.random() * 0.002)  # a step takes its time
                    if self._chance.random() < 0.03:
                        yield Failed(job=job, kind="engine_died", message="The engine crashed.")
                        return
                yield event
        finally:
            with self._lock:
                self._drawn[job] -= 1


@contextlib.contextmanager
def workers(parts: Parts) -> Iterator[None]:
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if not parts.runner.work_once(over.is_set):
                parts.runner.wait_for_work(0.02)

    threads = [threading.Thread(target=work) for _ in range(PLACES + 1)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        parts.runner.stop()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)


def play(parts: Parts, chance: random.Random, moves: int) -> tuple[list[str], set[str]]:
    """The jobs there are then, and those that were cancelled."""
    jobs: list[str] = []
    cancelled: set[str] = set()
    for _ in range(moves):
        move = chance.random()
        recent = chance.choice(jobs[-12:]) if jobs else ""
        with contextlib.suppress(Problem):  # it is over already
            if move < 0.4 or not jobs:
                wishes = [wish(f"{len(jobs)} {n}", count=chance.randint(1, 3)) for n in range(chance.randint(1, 4))]
                jobs += [job.id for job in parts.queue.add_many(wishes)]
            elif move < 0.6:
                parts.queue.cancel([recent])
                cancelled.add(recent)
            elif move < 0.8:
                parts.queue.pause(recent)
            else:
                parts.queue.resume(recent)
        time.sleep(chance.random() * 0.01)  # an artist takes their time
    return jobs, cancelled


def test_no_job_is_drawn_twice_at_once_or_lost_and_none_goes_on_that_was_cancelled(
    tmp_path: Path, fault_count: int
) -> None:
    """40 moves for each of `--faults`."""
    chance = random.Random(7)
    provider = Mortal(chance)
    parts = opened(new_home(tmp_path), provider)

    def is_over(job: str) -> bool:
        state = parts.queue.get(job).state
        if state in (JobState.PAUSED, JobState.PARKED) and job not in cancelled:
            with contextlib.suppress(Problem):
                parts.queue.resume(job)
        return state in FINISHED or (state is JobState.PAUSED and job in cancelled)

    try:
        with workers(parts):
            jobs, cancelled = play(parts, chance, 40 * fault_count)
            until(lambda: all([is_over(job) for job in jobs]))
        states = {job: parts.queue.get(job).state for job in jobs}
        images = Counter(image.job for image in parts.gallery.page(limit=1_000_000))
        for job, state in states.items():
            # One that was cancelled while its last picture was being saved is done.
            assert state is JobState.DONE or (state is JobState.CANCELLED and job in cancelled)
            assert state is JobState.CANCELLED or images[job] == parts.queue.get(job).request.count
    finally:
        parts.close()
    assert provider.twice_at_once == []
    print(f"{len(jobs)} jobs, {Counter(state.value for state in states.values())}")
