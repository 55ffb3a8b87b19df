"""More urgent jobs, half-done jobs and jobs that were drawn before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.protocol.messages import Generate, Started, Step
from imagegen_desktop.services.announce import JobAnswered, JobEvent
from imagegen_desktop.services.assemble import Parts
from tests.fake_engine import keep_snapshot
from tests.services.test_runner import On, heard_by, step_is, until_empty, wish


def steps_heard(heard: list[object]) -> list[tuple[str, int]]:
    events = [event for event in heard if isinstance(event, JobEvent)]
    return [(event.job, event.event.step) for event in events if isinstance(event.event, Step)]


def test_an_urgent_job_makes_a_batch_wait_at_its_next_step(parts: Parts) -> None:
    heard = heard_by(parts)
    batch = parts.queue.add(wish("[slow=0.02]batch", steps=50))
    urgent: list[str] = []
    On(parts, step_is(3), lambda: urgent.append(parts.queue.add(wish("urgent", priority=10)).id))
    until_empty(parts)
    order = [job for job, _ in steps_heard(list(heard))]
    at = order.index(urgent[0])
    assert at <= 5, "the batch left within its next step"
    assert order[at : at + 4] == urgent * 4
    done = parts.queue.get(batch.id)
    assert (done.state, done.attempts) == (JobState.DONE, 1)


def test_an_equally_urgent_job_waits_its_turn(parts: Parts) -> None:
    heard = heard_by(parts)
    first = parts.queue.add(wish("[slow=0.01]first", steps=10))
    On(parts, step_is(2), lambda: parts.queue.add(wish("second")))
    until_empty(parts)
    assert [job for job, _ in steps_heard(list(heard))][:10] == [first.id] * 10


def test_the_same_request_is_answered_from_history(parts: Parts) -> None:
    first = parts.queue.add(wish("[hash]", count=2))
    until_empty(parts)
    heard = heard_by(parts)
    again = parts.queue.add(wish("[hash]", count=2))
    until_empty(parts)
    assert parts.queue.get(again.id).state is JobState.DONE
    assert not steps_heard(list(heard))
    answered = next(event for event in heard if isinstance(event, JobAnswered))
    assert [parts.gallery.get(image).job for image in answered.images] == [first.id] * 2
    assert parts.gallery.count() == 2


@pytest.mark.parametrize("change", [{"seed": 6}, {"use_cache": False}, {"steps": 5}, {"count": 3}])
def test_another_request_is_drawn(parts: Parts, change: dict[str, object]) -> None:
    parts.queue.add(wish("[hash]"))
    until_empty(parts)
    heard = heard_by(parts)
    parts.queue.add(wish("[hash]", **change))
    until_empty(parts)
    assert steps_heard(list(heard))


def test_a_deleted_picture_or_a_changed_model_answers_nothing(parts: Parts) -> None:
    parts.queue.add(wish("[hash]"))
    until_empty(parts)
    folder = parts.models.get("paper").path
    with open(f"{folder}/unet/config.json", "a") as file:
        file.write(" ")
    heard = heard_by(parts)
    parts.queue.add(wish("[hash]"))
    until_empty(parts)
    assert len(steps_heard(list(heard))) == 4
    parts.gallery.delete([image.id for image in parts.gallery.page()])
    parts.queue.add(wish("[hash]"))
    until_empty(parts)
    assert len(steps_heard(list(heard))) == 8


def test_a_contact_sheet_waits_half_done_and_only_the_chosen_are_finished(parts: Parts) -> None:
    request = replace(wish(steps=10), until=3)
    jobs = parts.queue.add_many([replace(request, seed=seed) for seed in range(4)])
    until_empty(parts)
    assert {parts.queue.get(job.id).state for job in jobs} == {JobState.PAUSED}
    assert all(parts.sheets.preview_of(job.id) for job in jobs)
    parts.queue.go_on_to_the_end(jobs[2].id)
    until_empty(parts)
    assert parts.queue.get(jobs[2].id).state is JobState.DONE
    assert [image.request.seed for image in parts.gallery.page()] == [2]
    assert parts.sheets.preview_of(jobs[2].id) is None


def test_a_job_whose_process_died_waits_again(open_parts: Callable[[], Parts]) -> None:
    parts = open_parts()
    dead = parts.runner.owner.rpartition(":")[0] + ":1.00"
    job = parts.queue.add(wish(), owner=dead)
    parts.recover()
    assert parts.queue.get(job.id).state is JobState.QUEUED


def test_until_is_checked(parts: Parts) -> None:
    with pytest.raises(BadInput):
        parts.queue.add(replace(wish(), until=0))


def test_every_edit_of_the_queue_is_undone_and_done_again(open_parts: Callable[[], Parts]) -> None:
    parts = open_parts()
    jobs = [job.id for job in parts.queue.add_many([wish(f"cat {number}", count=2) for number in range(3)])]

    def state() -> list[tuple[str, str, str, int]]:
        return [(job.id, job.state.value, job.request.prompt, job.request.count) for job in parts.queue.jobs()]

    before = [state()]
    deeds: list[Callable[[], object]] = [
        lambda: parts.queue_edits.move(jobs[2], 0),
        lambda: parts.queue_edits.edit(jobs[:2], prompt="a dog", count=4),
        lambda: parts.queue_edits.duplicate([jobs[1]]),
        lambda: parts.queue_edits.split(jobs[0]),
        lambda: parts.queue.cancel([jobs[1]]),
        parts.queue_edits.clear_finished,
    ]
    for deed in deeds:
        deed()
        before.append(state())
    parts.close()
    parts = open_parts()  # the stack is kept with the library
    for expected in reversed(before[:-1]):
        assert parts.undo.undo()
        assert state() == expected
    assert parts.undo.undo() == ""
    for expected in before[1:]:
        assert parts.undo.redo()
        assert state() == expected


def test_jobs_added_together_are_completed_as_each_alone(parts: Parts) -> None:
    kinds: list[dict[str, object]] = [
        {"steps": None}, {"steps": None, "seed": None}, {"steps": 7},
        {"sampler": "Euler"}, {"style": "anime"}, {"count": 3},
    ]  # fmt: skip
    asked = [wish(f"cat {number}", **(kinds[number // 2 % len(kinds)] | {"model": "paper"})) for number in range(24)]
    together = [job.request for job in parts.queue.add_many(asked)]
    for request, completed in zip(asked, together, strict=True):
        assert completed.seed is not None and completed.seed == (request.seed or completed.seed)
        assert completed == parts.compose.complete(replace(request, seed=completed.seed))
    assert [job.request for job in parts.queue.jobs()] == together


@pytest.mark.parametrize("change", [{"prompt": " "}, {"prompt": "a\0b"}, {"seed": 2**64}, {"seed": -1}, {"steps": 0}])
def test_one_impossible_job_among_many_keeps_all_out(parts: Parts, change: dict[str, object]) -> None:
    asked = [wish(f"cat {number}", seed=number) for number in range(5)]
    with pytest.raises(BadInput):
        parts.queue.add_many([*asked, replace(asked[0], **change)])  # type: ignore[arg-type]
    assert not parts.queue.jobs()


def test_every_half_done_image_of_a_batch_goes_on_from_its_snapshot(parts: Parts) -> None:
    """The second was being drawn and the first not saved yet when the program ended."""
    job = parts.queue.add(wish(count=3, steps=4)).id
    for index, step in ((0, 4), (1, 2)):
        keep_snapshot(command_of(parts, job, index), step)
    heard = heard_by(parts)
    until_empty(parts)
    events = [event.event for event in heard if isinstance(event, JobEvent)]
    assert [event.step for event in events if isinstance(event, Started)] == [4, 2, 0]
    assert not list(parts.home.snapshots.glob("*-*"))


def test_snapshots_of_jobs_that_are_over_are_forgotten_at_the_next_start(parts: Parts) -> None:
    jobs = [job.id for job in parts.queue.add_many([wish(f"cat {number}") for number in range(3)])]
    for job in (*jobs, "gone"):
        keep_snapshot(command_of(parts, jobs[0], 0, named=job), 2)
    parts.queue.cancel([jobs[0]])
    parts.queue.pause(jobs[1])
    parts.recover()
    assert {file.name for file in parts.home.snapshots.glob("*-*")} == {f"{job}-0.safetensors" for job in jobs[1:]}


def command_of(parts: Parts, job: str, index: int, named: str = "") -> Generate:
    place = parts.home.snapshots / f"{named or job}-{index}.safetensors"
    request = parts.queue.get(job).request.only(index).to_dict()
    return Generate(job=job, index=index, request=request, model_path="", family="", snapshot=str(place))


def test_variations_added_together_differ(parts: Parts) -> None:
    asked = [wish("cat", variation_strength=0.2) for _ in range(3)]
    assert len({job.request.variation_seed for job in parts.queue.add_many(asked)}) == 3


def test_a_job_that_is_parked_waits_half_done_until_the_queue_goes_on(parts: Parts) -> None:
    job = parts.queue.add(wish("[slow=0.02]", steps=30)).id
    On(parts, step_is(3), parts.runner.park)
    until_empty(parts)
    assert (parts.queue.paused, parts.queue.get(job).state) == (True, JobState.QUEUED)
    heard = heard_by(parts)
    parts.queue.resume_all()
    until_empty(parts)
    assert steps_heard(list(heard))[0][1] > 3
    assert parts.queue.get(job).state is JobState.DONE


def test_a_wish_for_a_job_elsewhere_does_not_outlive_it(open_parts: Callable[[], Parts]) -> None:
    parts, other = open_parts(), open_parts()
    elsewhere = parts.runner.owner.rpartition(":")[0] + ":1.00"
    job = parts.queue.add(wish("[slow=0.1]", steps=25), owner=elsewhere).id
    parts.queue.cancel([job])  # it runs there: it is asked to
    parts.recover()  # and was over before it heard of it
    parts.queue.cancel([job])
    parts.queue.retry(job)
    On(parts, step_is(2), lambda: other.queue.add(wish("something to notice")))
    until_empty(parts)
    assert parts.queue.get(job).state is JobState.DONE
