"""Replicate from the queue to the gallery: created once, watched, cancelled there, asked for again after a restart."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.job import Job, JobState
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.imaging.metadata import read_recipe
from imagegen_desktop.protocol.messages import Step
from imagegen_desktop.services.announce import JobEvent
from imagegen_desktop.services.assemble import Parts
from tests.fake_replicate import TOKEN, FakeReplicate, Story
from tests.pictures import half_mask, png, png_of_rows
from tests.providers.conftest import left_in_flight
from tests.services.test_runner import On, heard_by, step_is, until_empty

FILL = "black-forest-labs/flux-fill-pro"
DEV = "black-forest-labs/flux-dev"


def wish(prompt: str = "a red fox", **changes: object) -> GenerationRequest:
    values: dict[str, object] = {"prompt": prompt, "provider": "replicate", "seed": 7}
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


def drawn(parts: Parts, request: GenerationRequest) -> Job:
    job = parts.queue.add(request)
    until_empty(parts)
    return parts.queue.get(job.id)


def test_words_become_a_picture_with_steps_a_price_and_a_seed(parts: Parts, replicate: FakeReplicate) -> None:
    heard = heard_by(parts)
    job = drawn(parts, wish())
    assert (job.state, job.error) == (JobState.DONE, None)
    image = parts.gallery.page()[0]
    assert (image.width, image.height, image.cost, image.request.seed) == (64, 48, 0.003, 7)
    assert image.request.model == "black-forest-labs/flux-schnell"
    assert read_recipe(parts.gallery.file(image)).notes == ("came back as 64 × 48",)
    steps = [event.event for event in heard if isinstance(event, JobEvent) and isinstance(event.event, Step)]
    assert [(step.step, step.steps) for step in steps] == [(1, 4), (2, 4), (3, 4)]
    [created] = replicate.seen("/predictions")
    assert created.json["input"] == {
        "prompt": "a red fox", "seed": 7, "num_inference_steps": 4, "aspect_ratio": "1:1", "output_format": "png",
    }  # fmt: skip
    assert "Cancel-After" in created.headers and "Prefer" not in created.headers


def test_a_batch_counts_its_seeds_on(parts: Parts, replicate: FakeReplicate) -> None:
    assert drawn(parts, wish(count=3)).images_done == 3
    assert [made.input["seed"] for made in replicate.predictions.values()] == [7, 8, 9]
    assert sorted(image.request.seed or 0 for image in parts.gallery.page()) == [7, 8, 9]


def test_the_result_is_fetched_without_the_token(parts: Parts, replicate: FakeReplicate) -> None:
    drawn(parts, wish())
    [fetched] = [seen for seen in replicate.requests if seen.path.startswith("/out/")]
    assert "Authorization" not in fetched.headers
    assert all(TOKEN not in seen.path and TOKEN.encode() not in seen.body for seen in replicate.requests)


def test_a_small_image_travels_inside_and_a_large_one_is_uploaded(parts: Parts, replicate: FakeReplicate) -> None:
    small = parts.sources.keep(png(64, 64))
    drawn(parts, wish(model=DEV, image=small, strength=0.5))
    [made] = replicate.predictions.values()
    assert made.input["image"].startswith("data:image/png;base64,")
    assert made.input["prompt_strength"] == 0.5
    noise = b"".join(b"\0" + os.urandom(3072) for _ in range(1024))
    large = parts.sources.keep(png_of_rows(1024, 1024, noise))
    drawn(parts, wish(model=DEV, image=large))
    assert len(replicate.seen("/v1/files")) == 1
    assert list(replicate.predictions.values())[1].input["image"] == f"{replicate.origin}/v1/files/f1"


def test_a_mask_is_white_where_to_paint(parts: Parts, replicate: FakeReplicate) -> None:
    image, mask = parts.sources.keep(png(256, 256)), parts.sources.keep(half_mask(256, 256))
    assert drawn(parts, wish(model=FILL, image=image, mask=mask)).state is JobState.DONE
    [made] = replicate.predictions.values()
    assert made.input["mask"].startswith("data:image/png;base64,")
    with pytest.raises(BadInput, match="does not take a mask"):
        parts.queue.add(wish(model=DEV, image=image, mask=mask))


def test_what_this_version_of_a_model_lacks_is_left_out_and_said(parts: Parts, replicate: FakeReplicate) -> None:
    drawn(parts, wish(model=DEV, guidance=4.0, steps=30, width=1536, height=640))
    [made] = replicate.predictions.values()
    assert "guidance" not in made.input
    assert (made.input["num_inference_steps"], made.input["aspect_ratio"]) == (4, "16:9")
    notes = read_recipe(parts.gallery.file(parts.gallery.page()[0])).notes
    assert "guidance left out: this version of the model has none" in notes
    assert "number of steps 30 became 4" in notes


def test_without_a_schema_the_built_in_table_serves(parts: Parts, replicate: FakeReplicate) -> None:
    replicate.schema = None
    drawn(parts, wish(model=DEV, guidance=4.0, width=1344, height=768))
    [made] = replicate.predictions.values()
    assert (made.input["guidance"], made.input["aspect_ratio"], made.input["go_fast"]) == (4.0, "16:9", False)


def test_cancel_is_heard_at_replicate(parts: Parts, replicate: FakeReplicate) -> None:
    job = parts.queue.add(wish())
    On(parts, step_is(1), lambda: parts.queue.cancel([job.id]))
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.CANCELLED
    [made] = replicate.predictions.values()
    assert made.status == "canceled"


def paused_while_asked_for(parts: Parts, replicate: FakeReplicate) -> str:
    """A job whose prediction goes on at Replicate while it waits here."""
    job = parts.queue.add(wish())
    On(parts, step_is(1), lambda: parts.queue.pause(job.id))
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.PAUSED
    assert [made.status for made in replicate.predictions.values()] == ["processing"]
    return job.id


def test_cancelling_a_paused_job_cancels_its_prediction(parts: Parts, replicate: FakeReplicate) -> None:
    job = paused_while_asked_for(parts, replicate)
    parts.queue.cancel([job])
    assert [made.status for made in replicate.predictions.values()] == ["canceled"]
    assert parts.ledger.open_calls(job) == []
    parts.undo.undo()
    until_empty(parts)
    assert (parts.queue.get(job).state, len(replicate.charges)) == (JobState.DONE, 2), "drawn anew"


def test_cancelling_a_job_of_a_program_that_died_cancels_its_prediction(
    open_parts: Callable[[], Parts], replicate: FakeReplicate
) -> None:
    job = left_in_flight(open_parts, wish(), replicate.gate("polling"))
    second = open_parts()
    second.recover()
    second.queue.cancel([job])
    assert [made.status for made in replicate.predictions.values()] == ["canceled"]


def test_a_job_with_other_words_does_not_get_the_old_picture(parts: Parts, replicate: FakeReplicate) -> None:
    job = paused_while_asked_for(parts, replicate)
    parts.queue_edits.edit([job], prompt="a blue fox")
    assert [made.status for made in replicate.predictions.values()] == ["canceled"]
    parts.queue.resume(job)
    until_empty(parts)
    assert [made.input["prompt"] for made in replicate.predictions.values()] == ["a red fox", "a blue fox"]
    assert parts.gallery.page()[0].request.prompt == "a blue fox"


def test_cancelling_is_not_kept_waiting_by_a_network_that_is_down(parts: Parts, replicate: FakeReplicate) -> None:
    job = paused_while_asked_for(parts, replicate)
    replicate.cancel_fault = True
    parts.queue.cancel([job])
    assert parts.queue.get(job).state is JobState.CANCELLED
    assert parts.ledger.accounts()["replicate"].month.perhaps > 0, "it may have been made"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        ("failed", "NSFW content detected. Try running it again. (E005)", "refused"),
        ("failed", "CUDA out of memory (E1001)", "provider"),
        ("canceled", None, "provider"),
        ("aborted", None, "provider"),
        ("imploded", None, "provider"),
    ],
)
def test_every_end_has_its_words(
    parts: Parts, replicate: FakeReplicate, status: str, error: str | None, kind: str
) -> None:
    replicate.story = Story(status=status, error=error)
    job = drawn(parts, wish())
    assert job.error is not None and job.error.kind == kind
    assert parts.gallery.count() == 0


def test_a_success_without_a_picture_was_a_refusal(parts: Parts, replicate: FakeReplicate) -> None:
    replicate.story = Story(output=lambda url: [])
    error = drawn(parts, wish()).error
    assert error is not None and error.kind == "refused"


def test_a_job_left_by_closing_goes_on_by_its_name(open_parts: Callable[[], Parts], replicate: FakeReplicate) -> None:
    job = left_in_flight(open_parts, wish(), replicate.gate("polling"))
    second = open_parts()
    assert second.queue.get(job).state is JobState.PAUSED
    second.queue.resume(job)
    until_empty(second)
    assert second.queue.get(job).state is JobState.DONE
    assert len(replicate.charges) == 1


def test_a_network_that_hiccups_while_polling_costs_nothing(parts: Parts, replicate: FakeReplicate) -> None:
    replicate.story = Story(
        polls={
            1: lambda handler: handler.drop(reset=True),
            2: lambda handler: handler.send_bytes(502, b"<html>", "text/html"),
            3: lambda handler: handler.send_bytes(200, b"{nonsense"),
        }
    )
    assert drawn(parts, wish()).state is JobState.DONE
    assert len(replicate.charges) == 1


def test_a_key_revoked_while_polling_holds_the_job_until_it_is_mended(
    parts: Parts, replicate: FakeReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicate.story = Story(polls={2: lambda handler: handler.send_json(401, {"detail": "revoked"})})
    job = drawn(parts, wish())
    assert (job.state, job.error.kind if job.error else "") == (JobState.QUEUED, "key")
    parts.holds.release()
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.DONE
    assert len(replicate.charges) == 1
