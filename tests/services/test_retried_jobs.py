"""What happens to a job in the moment between its engine's death and its next attempt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagegen_desktop.database.jobs import Jobs
from imagegen_desktop.domain.job import Job, JobState
from imagegen_desktop.providers.base import Assignment, Capabilities, ProviderEvent
from imagegen_desktop.services.assemble import Parts
from tests.faults.scripted import ScriptedProvider, new_home, opened, wish

SECONDS = 20.0


class Mortal(ScriptedProvider):
    """Two jobs may be drawn at a time; its engine dies once."""

    def __init__(self) -> None:
        super().__init__()
        self.at_step = (2, lambda job: setattr(self, "dying", True))
        self.runs: list[str] = []

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), places=2)

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        self.runs.append(assignment.job.id)
        return super().run(assignment)


@pytest.fixture
def provider() -> Mortal:
    return Mortal()


@pytest.fixture
def parts(tmp_path: Path, provider: Mortal) -> Iterator[Parts]:
    found = opened(new_home(tmp_path / "home"), provider)
    yield found
    found.close()


@pytest.fixture
def another() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def in_between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """What it is given is done once, as soon as the job waits again."""
    acts: list[Callable[[], object]] = []
    move_state = Jobs.move_state

    def move(jobs: Jobs, job: str, to: JobState, **changes: Any) -> Job:
        moved = move_state(jobs, job, to, **changes)
        if to is JobState.QUEUED and acts:
            acts.pop()()
        return moved

    monkeypatch.setattr(Jobs, "move_state", move)
    return acts.append


def test_no_other_worker_takes_it_and_it_can_still_be_cancelled(
    parts: Parts, provider: Mortal, another: ThreadPoolExecutor, in_between: Callable[[Callable[[], object]], None]
) -> None:
    job = parts.queue.add(wish()).id
    drawing, cancelled = threading.Event(), threading.Event()
    taken: list[Future[bool]] = []

    def hold(_: str) -> None:
        drawing.set()
        cancelled.wait(SECONDS)

    def look_for_work() -> None:
        provider.at_step = (1, hold)
        taken.append(another.submit(parts.runner.work_once))
        while not drawing.wait(0.01) and not taken[0].done():
            pass

    in_between(look_for_work)
    with ThreadPoolExecutor(1) as one:
        first = one.submit(parts.runner.work_once)
        assert drawing.wait(SECONDS)
        while not (first.done() or taken[0].done()):
            pass  # whoever did not get the job is through with it
        parts.queue.cancel([job])
        cancelled.set()
    assert not taken[0].result(SECONDS)
    assert parts.queue.get(job).state is JobState.CANCELLED
    assert provider.runs == [job, job]


@pytest.mark.parametrize(
    ("ask", "state"),
    [
        (lambda queue, job: queue.cancel([job]), JobState.CANCELLED),
        (lambda queue, job: queue.pause(job), JobState.PAUSED),
    ],
)
def test_what_is_wished_of_it_then_is_done(
    parts: Parts,
    provider: Mortal,
    another: ThreadPoolExecutor,
    in_between: Callable[[Callable[[], object]], None],
    ask: Callable[..., object],
    state: JobState,
) -> None:
    """The wish was on its way while the engine died."""
    job = parts.queue.add(wish()).id
    on_its_way, died = threading.Event(), threading.Event()
    pass_on = parts.queue.interrupt
    asked: list[Future[object]] = []

    def after_the_death(job_id: str, what: str) -> bool:
        on_its_way.set()
        assert died.wait(SECONDS)
        return pass_on(job_id, what)

    def die(_: str) -> None:
        asked.append(another.submit(ask, parts.queue, job))
        assert on_its_way.wait(SECONDS)
        provider.dying = True

    def wish_arrives() -> None:
        died.set()
        asked[0].result(SECONDS)

    parts.queue.interrupt = after_the_death
    provider.at_step = (2, die)
    in_between(wish_arrives)
    while parts.runner.work_once():
        pass
    assert parts.queue.get(job).state is state
    assert provider.runs == [job]
