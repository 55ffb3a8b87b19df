"""Jobs through the services: drawn, saved, cancelled, paused, retried, parked, recovered."""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagegen_desktop.domain.errors import BadInput, IllegalMove, NotFound
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.protocol.messages import Preview, Step
from imagegen_desktop.services.announce import Announcement, ImagesChanged, JobEvent
from imagegen_desktop.services.assemble import Parts
from tests.fake_engine import pixels_of


def wish(prompt: str = "a cat", **changes: object) -> GenerationRequest:
    values: dict[str, object] = {"prompt": prompt, "model": "paper", "width": 16, "height": 8, "steps": 4, "seed": 5}
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


def until_empty(parts: Parts) -> None:
    while parts.runner.work_once():
        pass


def heard_by(parts: Parts) -> list[Announcement]:
    heard: list[Announcement] = []
    parts.announce.subscribe(heard.append)
    return heard


class On:
    """Does something once, when an announcement comes that is waited for."""

    def __init__(self, parts: Parts, wanted: Callable[[Announcement], bool], act: Callable[[], object]) -> None:
        self._wanted, self._act, self._done = wanted, act, False
        parts.announce.subscribe(self._hear)

    def _hear(self, announcement: Announcement) -> None:
        if not self._done and self._wanted(announcement):
            self._done = True
            self._act()


def step_is(number: int) -> Callable[[Announcement], bool]:
    return lambda heard: isinstance(heard, JobEvent) and isinstance(heard.event, Step) and heard.event.step == number


def test_a_job_is_drawn_saved_and_found_again(parts: Parts) -> None:
    heard = heard_by(parts)
    job = parts.queue.add(wish("a red fox"))
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.DONE
    image = parts.gallery.get(next(event.added[0] for event in heard if isinstance(event, ImagesChanged)))
    assert (image.job, image.width, image.height, image.request.seed) == (job.id, 16, 8, 5)
    assert parts.gallery.file(image).exists()
    assert parts.gallery.settings_of(parts.gallery.file(image)).as_request() == image.request
    assert [found.id for found in parts.gallery.page(query="fox")] == [image.id]
    assert parts.gallery.thumbnail(image.number)
    events = [event.event for event in heard if isinstance(event, JobEvent)]
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3, 4]
    assert len([event for event in events if isinstance(event, Preview)]) == 4


def test_a_batch_has_an_image_for_every_seed(parts: Parts) -> None:
    job = parts.queue.add(wish(count=3, seed=2**64 - 1))
    until_empty(parts)
    images = sorted(parts.gallery.page(), key=lambda image: image.index)
    assert [image.request.seed for image in images] == [2**64 - 1, 0, 1]
    assert parts.queue.get(job.id).images_done == 3


def test_pictures_are_those_the_engine_made(parts: Parts) -> None:

    parts.queue.add(wish())
    until_empty(parts)
    image = parts.gallery.page()[0]
    assert image.pixels_sha256 == hashlib.sha256(pixels_of(image.request, 5)).hexdigest()


def test_cancel_in_mid_step_leaves_nothing_in_the_gallery(parts: Parts) -> None:
    job = parts.queue.add(wish("[slow=0.05]", steps=200))
    On(parts, step_is(2), lambda: parts.queue.cancel([job.id]))
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.CANCELLED
    assert parts.gallery.count() == 0
    with pytest.raises(IllegalMove):
        parts.queue.cancel([job.id])


def test_cancel_of_a_waiting_job_never_starts_it(parts: Parts) -> None:
    job = parts.queue.add(wish())
    parts.queue.cancel([job.id])
    assert not parts.runner.work_once()
    with pytest.raises(NotFound):
        parts.queue.cancel(["nothing"])


def test_pause_and_resume(parts: Parts) -> None:
    job = parts.queue.add(wish("[slow=0.02]", steps=30))
    On(parts, step_is(2), lambda: parts.queue.pause(job.id))
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.PAUSED
    parts.queue.resume(job.id)
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.DONE


def test_an_engine_that_dies_once_costs_nothing(parts: Parts) -> None:
    job = parts.queue.add(wish("[die=kill@2][once]", count=2))
    until_empty(parts)
    done = parts.queue.get(job.id)
    assert (done.state, done.images_done, done.attempts) == (JobState.DONE, 2, 2)
    assert parts.gallery.count() == 2


def test_a_job_that_kills_the_engine_twice_is_parked_and_the_rest_goes_on(parts: Parts) -> None:
    poison = parts.queue.add(wish("[die=segv@1]"))
    others = parts.queue.add_many([wish(f"cat {number}") for number in range(5)])
    until_empty(parts)
    parked = parts.queue.get(poison.id)
    assert parked.state is JobState.PARKED
    assert parked.error is not None and "2 times" in parked.error.message
    assert all(parts.queue.get(job.id).state is JobState.DONE for job in others)
    assert parts.engines.first.status().restarts == 2


def test_a_failed_job_says_why_and_can_be_tried_again_changed(parts: Parts) -> None:
    job = parts.queue.add(wish("[fail]"))
    until_empty(parts)
    failed = parts.queue.get(job.id)
    assert failed.state is JobState.FAILED
    assert failed.error is not None and failed.error.message == "This fails."
    parts.queue_edits.edit([job.id], prompt="a cat")
    parts.queue.retry(job.id)
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.DONE


def test_jobs_run_by_priority_then_order_and_can_be_moved(parts: Parts) -> None:
    first, second, urgent = parts.queue.add_many([wish("1"), wish("2"), wish("3", priority=5)])
    parts.queue_edits.move(second.id, 1)
    until_empty(parts)
    done = [image.job for image in reversed(parts.gallery.page())]
    assert done == [urgent.id, second.id, first.id]


def test_a_paused_queue_begins_nothing(parts: Parts) -> None:
    parts.queue.pause_all()
    parts.queue.add(wish())
    assert not parts.runner.work_once()
    parts.queue.resume_all()
    assert parts.runner.work_once()


def test_two_workers_overlap_only_at_the_end_of_a_job(parts: Parts) -> None:
    jobs = parts.queue.add_many([wish(f"[slow=0.01]{number}", steps=5) for number in range(6)])
    running: set[str] = set()
    most = 0

    def watch(heard: Announcement) -> None:
        nonlocal most
        if isinstance(heard, JobEvent) and isinstance(heard.event, Step):
            running.add(heard.job) if heard.event.step < heard.event.steps else running.discard(heard.job)
            most = max(most, len(running))

    parts.announce.subscribe(watch)

    def work() -> None:
        while parts.runner.work_once() or any(job.state is JobState.QUEUED for job in parts.queue.jobs(0)):
            parts.runner.wait_for_work(0.05)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: work(), range(2)))
    assert all(parts.queue.get(job.id).state is JobState.DONE for job in jobs)
    assert most == 1


def test_stop_pauses_what_runs_and_a_new_start_goes_on(open_parts: Callable[[], Parts]) -> None:
    first = open_parts()
    job = first.queue.add(wish("[slow=0.05]", steps=100))
    stopped = threading.Event()
    On(first, step_is(1), lambda: (threading.Thread(target=first.runner.stop).start(), stopped.set()))
    until_empty(first)
    assert stopped.is_set()
    first.close()
    second = open_parts()
    assert second.queue.get(job.id).state is JobState.PAUSED
    second.queue_edits.edit([job.id], prompt="quick")
    second.queue.resume(job.id)
    until_empty(second)
    assert second.queue.get(job.id).state is JobState.DONE


def test_what_a_dead_process_left_running_waits_again(open_parts: Callable[[], Parts]) -> None:
    first = open_parts()
    job = first.queue.add(wish(), owner="nowhere:1:0.00")
    assert not first.recover()  # another machine's owner is never surely dead

    other = first.queue.add(wish(), owner=f"{platform.node()}:{2**22 - 1}:1.00")
    assert [job.id for job in first.recover()] == [other.id]
    assert first.queue.get(job.id).state is JobState.LEASED


def test_two_processes_see_each_others_jobs_and_wishes(open_parts: Callable[[], Parts]) -> None:
    window, command_line = open_parts(), open_parts()
    job = window.queue.add(wish("[slow=0.05]", steps=300))
    On(window, step_is(1), lambda: command_line.queue.cancel([job.id]))
    until_empty(window)
    assert command_line.queue.get(job.id).state is JobState.CANCELLED


@pytest.mark.parametrize(
    "change",
    [{"style": "nope"}, {"sampler": "nope"}, {"model": "nope"}, {"provider": "nope"}, {"width": 12}, {"steps": 0}],
)
def test_bad_input_queues_nothing(parts: Parts, change: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        parts.queue.add(wish(**change))
    assert parts.queue.jobs() == []


def test_deleting_is_undone_and_done_again(parts: Parts) -> None:
    parts.queue.add(wish())
    until_empty(parts)
    image = parts.gallery.page()[0]
    parts.gallery.delete([image.id])
    assert parts.gallery.count() == 0
    assert not parts.gallery.file(image).exists()
    assert parts.undo.undo() == "Delete 1 image"
    assert parts.gallery.count() == 1
    assert parts.gallery.file(image).exists()
    parts.undo.redo()
    assert parts.gallery.count() == 0


def test_a_style_brings_its_words_and_numbers(parts: Parts) -> None:
    done = parts.compose.complete(GenerationRequest(prompt="a fox", model="paper", style="Watercolor"))
    assert (done.style, done.steps, done.guidance) == ("watercolor", 30, 7.0)
    assert done.full_prompt.startswith("a fox, watercolor")
    explicit = parts.compose.complete(GenerationRequest(prompt="a fox", model="paper", style="watercolor", steps=3))
    assert explicit.steps == 3
    assert done.sampler == "PNDM"
    assert (done.width, done.height) == (64, 64)


def test_a_model_of_few_words_says_when_it_knows_none_of_the_prompts(parts: Parts) -> None:
    def notes(prompt: str) -> tuple[str, ...]:
        return parts.compose.fitted(parts.compose.complete(GenerationRequest(prompt=prompt, model="starter"))).notes

    assert notes("a red circle") == ()
    assert notes("lighthouse of dragons") == ()
    [line] = notes("cyberpunk dragon, octane render")
    assert "none of these words" in line
    assert parts.compose.fitted(parts.compose.complete(wish("cyberpunk dragon"))).notes == ()
