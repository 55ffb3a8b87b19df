"""Several devices: an engine for each, jobs spread over them, and whatever happens to one leaves the others alone."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.protocol.messages import Started, Step
from imagegen_desktop.services.announce import Announcement, JobEvent, JobsChanged
from imagegen_desktop.services.assemble import Parts
from imagegen_desktop.services.outlook import seconds_left
from imagegen_desktop.services.runner import giving_way
from imagegen_desktop.services.running import Running
from imagegen_desktop.settings import SETTINGS, check
from tests.services.test_runner import wish

_SECONDS = 30.0


class Watch:
    """What is heard of the jobs, to wait for."""

    def __init__(self, parts: Parts) -> None:
        self._changed = threading.Condition()
        self.steps: list[tuple[str, int]] = []
        self.engines: dict[str, list[int]] = {}
        self._parts = parts
        parts.announce.subscribe(self._hear)

    def _hear(self, heard: Announcement) -> None:
        with self._changed:
            if isinstance(heard, JobEvent) and isinstance(heard.event, Started):
                engine = self._parts.engines.of(heard.job)
                assert engine is not None
                self.engines.setdefault(heard.job, []).append(engine.status().number)
            elif isinstance(heard, JobEvent) and isinstance(heard.event, Step):
                self.steps.append((heard.job, heard.event.step))
            if isinstance(heard, JobEvent | JobsChanged):
                self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, _SECONDS)

    def begun(self, *jobs: str) -> Callable[[], bool]:
        return lambda: all(any(job == one for one, _ in self.steps) for job in jobs)


@contextmanager
def workers(parts: Parts, count: int = 4) -> Iterator[None]:
    """Threads that draw whatever waits, as the window has them."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if not parts.runner.work_once(over.is_set):
                parts.runner.wait_for_work(0.05)

    with ThreadPoolExecutor(count) as pool:
        working = [pool.submit(work) for _ in range(count)]
        try:
            yield
        finally:
            over.set()
            parts.runner.stop()
            parts.runner.wake()
    for one in working:
        one.result()


def state_is(parts: Parts, job: str, state: JobState) -> Callable[[], bool]:
    return lambda: parts.queue.get(job).state is state


@pytest.fixture
def two(open_parts: Callable[[], Parts], monkeypatch: pytest.MonkeyPatch) -> Parts:
    monkeypatch.setenv("IMAGEGEN_DESKTOP_DEVICE", "cpu, cpu")
    return open_parts()


LONG = "[slow=0.05]"


def test_two_jobs_are_drawn_at_the_same_time_and_a_third_waits(two: Parts) -> None:
    watch = Watch(two)
    first, second, third = (two.queue.add(wish(f"{LONG}{number}", steps=1_000)).id for number in range(3))
    with workers(two):
        watch.until(watch.begun(first, second))
        assert {*watch.engines[first], *watch.engines[second]} == {0, 1}
        assert third not in watch.engines
        two.queue.cancel([second])
        watch.until(watch.begun(third))
        assert watch.engines[third] == watch.engines[second]
        assert two.queue.get(second).state is JobState.CANCELLED
        assert two.queue.get(first).state is JobState.RUNNING


def test_the_queue_s_time_is_shared_by_the_engines(two: Parts) -> None:
    two.forecast.learn(two.queue.add(wish("earlier")).request, 10.0)
    jobs = two.queue.add_many([wish(f"{number}") for number in range(3)]) + two.queue.jobs()[:1]
    assert seconds_left(jobs, two.forecast, two.providers) == pytest.approx(20.0)
    assert seconds_left(jobs[:1], two.forecast, two.providers) == pytest.approx(10.0)


def test_every_job_of_many_is_drawn_exactly_once(two: Parts) -> None:
    watch = Watch(two)
    jobs = [job.id for job in two.queue.add_many([wish(f"[slow=0.002]{number}", steps=5) for number in range(24)])]
    with workers(two):
        watch.until(lambda: all(two.queue.get(job).state is JobState.DONE for job in jobs))
    assert sorted(image.job for image in two.gallery.page()) == sorted(jobs)
    assert sorted(watch.engines) == sorted(jobs)
    assert all(len(engines) == 1 for engines in watch.engines.values())
    drawn_by = [engines[0] for engines in watch.engines.values()]
    assert min(drawn_by.count(0), drawn_by.count(1)) >= 4, "both engines have drawn their share"


def test_a_death_on_one_device_leaves_the_other_one_drawing(two: Parts) -> None:
    watch = Watch(two)
    steady = two.queue.add(wish(f"{LONG}steady", steps=1_000)).id
    with workers(two):
        watch.until(watch.begun(steady))
        mortal = two.queue.add(wish("[die=kill@2][once]", steps=4)).id
        watch.until(state_is(two, mortal, JobState.DONE))
        assert two.queue.get(mortal).attempts == 2
        poison = two.queue.add(wish("[die=segv@1]")).id
        watch.until(state_is(two, poison, JobState.PARKED))
        said = two.queue.get(steady)
        assert (said.state, said.attempts, said.error) == (JobState.RUNNING, 1, None)
    assert watch.engines[steady] == [0]
    assert [status.restarts for status in two.engines.statuses()] == [0, 3]
    steps = [step for job, step in watch.steps if job == steady]
    assert steps == list(range(1, len(steps) + 1))


def test_an_urgent_job_takes_the_place_of_one_job_only(two: Parts) -> None:
    watch = Watch(two)
    batches = [two.queue.add(wish(f"{LONG}{number}", steps=1_000)).id for number in range(2)]
    with workers(two):
        watch.until(watch.begun(*batches))
        urgent = two.queue.add(wish(f"{LONG}urgent", steps=1_000, priority=10)).id
        watch.until(watch.begun(urgent))
        states = sorted(two.queue.get(job).state.value for job in batches)
        assert states == ["queued", "running"]
        two.queue.cancel([urgent])
        watch.until(lambda: all(two.queue.get(job).state is JobState.RUNNING for job in batches))
    assert sorted(len(watch.engines[job]) for job in batches) == [1, 2]


def test_a_job_goes_where_its_model_is_loaded(two: Parts, model: Path) -> None:
    shutil.copytree(model, model.with_name("card"))
    two.models.refresh()
    watch = Watch(two)
    steady = {name: two.queue.add(wish(LONG, steps=1_000, model=name)).id for name in ("paper", "card")}
    with workers(two):
        watch.until(watch.begun(*steady.values()))
        place = {name: watch.engines[job][0] for name, job in steady.items()}
        two.queue.cancel(steady.values())
        watch.until(lambda: all(status.state == "ready" and status.model for status in two.engines.statuses()))
        for name in ("card", "paper", "paper", "card"):
            job = two.queue.add(wish(f"quick {len(watch.engines)}", model=name)).id
            watch.until(state_is(two, job, JobState.DONE))
            watch.until(lambda: all(status.state == "ready" for status in two.engines.statuses()))
            assert watch.engines[job] == [place[name]]


def test_pausing_stops_both_and_a_new_start_goes_on_with_both(two: Parts, open_parts: Callable[[], Parts]) -> None:
    watch = Watch(two)
    jobs = [two.queue.add(wish(f"[slow=0.02]{number}", steps=60)).id for number in range(2)]
    with workers(two):
        watch.until(watch.begun(*jobs))
    assert [two.queue.get(job).state for job in jobs] == [JobState.PAUSED] * 2
    two.close()
    again = open_parts()
    later = Watch(again)
    for job in jobs:
        again.queue.resume(job)
    with workers(again):
        later.until(lambda: all(again.queue.get(job).state is JobState.DONE for job in jobs))
    for job in jobs:
        steps = [step for one, step in (*watch.steps, *later.steps) if one == job]
        assert steps == list(range(1, 61)), "no step is drawn twice"


def test_auto_finds_every_gpu_and_starts_an_engine_only_for_a_job(
    open_parts: Callable[[], Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_ENGINE_CARDS", "Big,Big,Small")
    parts = open_parts()
    watch = Watch(parts)
    assert parts.engines.places == 1
    jobs = [parts.queue.add(wish(f"{LONG}{number}", steps=1_000)).id for number in range(2)]
    with workers(parts):
        watch.until(watch.begun(*jobs))
        statuses = parts.engines.statuses()
        assert [status.device for status in statuses] == ["cuda:0", "cuda:1", ""]
        assert [status.state for status in statuses] == ["busy", "busy", "stopped"]
        assert parts.engines.places == 3
        third = parts.queue.add(wish(LONG, steps=1_000, device="cuda:2")).id
        watch.until(watch.begun(third))
        assert watch.engines[third] == [2]


@pytest.fixture
def gpus(open_parts: Callable[[], Parts], monkeypatch: pytest.MonkeyPatch) -> Parts:
    """Two GPUs."""
    monkeypatch.setenv("FAKE_ENGINE_CARDS", "Big,Big")
    monkeypatch.setenv("IMAGEGEN_DESKTOP_DEVICE", "cuda:0,cuda:1")
    return open_parts()


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:1"])
def test_a_job_that_insists_on_a_busy_device_leaves_the_other_one_to_the_next(gpus: Parts, device: str) -> None:
    watch = Watch(gpus)
    number = 1 if device == "cuda:1" else 0
    first, second = (gpus.queue.add(wish(f"{LONG}{name}", steps=1_000, device=device)).id for name in "ab")
    free = gpus.queue.add(wish(f"{LONG}free", steps=1_000)).id
    with workers(gpus):
        watch.until(watch.begun(first, free))
        assert (watch.engines[first], watch.engines[free]) == ([number], [1 - number])
        assert gpus.queue.get(second).state is JobState.QUEUED
        assert second not in watch.engines
        gpus.queue.cancel([first])
        watch.until(watch.begun(second))
    assert watch.engines[second] == [number]


def test_an_urgent_job_that_insists_on_a_device_takes_the_place_of_the_one_there(gpus: Parts) -> None:
    watch = Watch(gpus)
    bound = gpus.queue.add(wish(f"{LONG}bound", steps=1_000, device="cuda:1")).id
    with workers(gpus):
        watch.until(watch.begun(bound))
        first = gpus.queue.add(wish(f"{LONG}first", steps=1_000, priority=5, device="cuda:1")).id
        watch.until(watch.begun(first))  # though the other device is free
        assert gpus.queue.get(bound).state is JobState.QUEUED
        other = gpus.queue.add(wish(f"{LONG}other", steps=1_000, priority=-5)).id
        watch.until(watch.begun(other))
        second = gpus.queue.add(wish(f"{LONG}second", steps=1_000, priority=9, device="cuda:1")).id
        watch.until(watch.begun(second))
        assert gpus.queue.get(first).state is JobState.QUEUED
        assert gpus.queue.get(other).state is JobState.RUNNING
    assert watch.engines[other] == [0], "the least urgent one stays: it is in nobody's way"
    assert [watch.engines[job] for job in (bound, first, second)] == [[1]] * 3


def test_one_that_waited_behind_another_for_its_device_is_not_blamed_for_that_one_s_end(gpus: Parts) -> None:
    watch = Watch(gpus)
    mortal = gpus.queue.add(wish("[slow=0.2][die=kill@6]", steps=6, device="cuda:1")).id
    waiting = gpus.queue.add(wish("waiting", steps=2, device="cuda:1")).id
    with workers(gpus):
        watch.until(state_is(gpus, mortal, JobState.PARKED))
        watch.until(state_is(gpus, waiting, JobState.DONE))
    assert gpus.queue.get(waiting).attempts == 1
    assert watch.engines[waiting] == [1]


def test_who_takes_what_is_free_keeps_away_from_what_another_insists_on(gpus: Parts) -> None:
    """Whichever of them is ready first."""
    engines = gpus.engines
    engines.expect("bound", "cuda:0")
    with engines.seat("free", "", None) as seat:
        assert seat.device == "cuda:1"
        with engines.seat("bound", "", "cuda:0") as other:
            assert other.device == "cuda:0"
            assert engines.busy_devices() == {"cuda:0", "cuda:1"}
    assert engines.busy_devices() == {"cuda:0"}, "it may have lost its engine, and come back"
    engines.forget("bound")
    assert engines.busy_devices() == frozenset()
    engines.expect("free", None)
    assert engines.busy_devices() == frozenset()
    engines.expect("as well", None)
    assert engines.busy_devices() == {"cuda:0", "cuda:1"}, "they will sit there"
    engines.forget("as well")
    assert engines.busy_devices() == frozenset()


def test_a_device_nobody_has_binds_no_job(gpus: Parts) -> None:
    watch = Watch(gpus)
    jobs = [gpus.queue.add(wish(f"{LONG}{name}", steps=1_000, device="cuda:9")).id for name in "ab"]
    with workers(gpus):
        watch.until(watch.begun(*jobs))
    assert sorted(watch.engines[job][0] for job in jobs) == [0, 1]


def test_a_device_that_is_not_there_is_named_and_the_others_draw(
    open_parts: Callable[[], Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGEN_DESKTOP_DEVICE", "cpu,cuda:7")
    parts = open_parts()
    watch = Watch(parts)
    jobs = [parts.queue.add(wish(f"{LONG}{number}", steps=20)).id for number in range(3)]
    with workers(parts):
        watch.until(lambda: all(parts.queue.get(job).state is JobState.DONE for job in jobs))
    refused = parts.engines.statuses()[1]
    assert (refused.state, refused.restarts) == ("failed", 1)
    assert "cuda:7" in refused.message
    assert parts.engines.places == 1


@pytest.mark.parametrize("value", ["gpu", "cuda:", "cpu,,cpu", "cuda:0 cuda:1", "auto,cpu", "", "cuda:x"])
def test_a_bad_device_is_refused_in_one_line_that_names_what_is_possible(value: str) -> None:
    with pytest.raises(BadInput, match=r"device: .*auto, or a list of cpu, cuda:0"):
        check(SETTINGS["device"], value)


@pytest.mark.parametrize("value", ["auto", "cpu", "cuda", "cuda:1", "cuda:0, cuda:1", "cpu,cpu"])
def test_a_good_device_is_kept_as_it_was_written(value: str) -> None:
    assert check(SETTINGS["device"], value) == value


def running(priority: int, **changes: object) -> Running:
    job = type("Row", (), {"priority": priority})()
    return Running(job=job, provider=None, on_almost_done=lambda: None, heard=True, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("here", "waiting", "places", "leaving"),
    [
        ([running(0)], [1], 1, [0]),
        ([running(0)], [0], 1, []),
        ([running(0)], [1], 2, []),
        ([running(0), running(0)], [1], 2, [1]),
        ([running(0), running(5)], [9], 2, [0]),
        ([running(0), running(5)], [3, 3], 2, [0]),
        ([running(0), running(5)], [9, 9], 2, [0, 1]),
        ([running(0, alone=True)], [9], 1, []),
        # One almost done with another one behind it share an engine: the one in full swing elsewhere stays.
        ([running(0, almost_done=True), running(0)], [1], 1, [0, 1]),
        ([running(0, almost_done=True), running(0), running(0)], [1], 2, [0, 2]),
    ],
)
def test_as_few_as_needed_make_room(here: list[Running], waiting: list[int], places: int, leaving: list[int]) -> None:
    assert sorted(map(here.index, giving_way(here, waiting, places))) == leaving
