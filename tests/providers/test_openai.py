"""OpenAI from the queue to the gallery: words, edits, masks, batches, previews, cancel; each paid for once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import BadInput, DiskProblem
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.imaging.decode import decode_image
from imagegen_desktop.imaging.metadata import read_recipe
from imagegen_desktop.protocol.messages import Preview, Step
from imagegen_desktop.services.announce import Announcement, JobEvent
from imagegen_desktop.services.assemble import Parts
from tests.fake_openai import COST, KEY, FakeOpenAI, form_of
from tests.pictures import half_mask, png
from tests.providers.conftest import left_in_flight
from tests.services.test_runner import On, heard_by, until_empty


def wish(prompt: str = "a red fox", **changes: object) -> GenerationRequest:
    values: dict[str, object] = {"prompt": prompt, "provider": "openai", "width": 832, "height": 800}
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


def test_words_become_a_picture_with_its_price_and_its_history(parts: Parts, openai: FakeOpenAI) -> None:
    openai.revised_prompt = "a red fox in the snow"
    heard = heard_by(parts)
    job = parts.queue.add(wish(style="watercolor", quality="low"))
    until_empty(parts)
    done = parts.queue.get(job.id)
    assert (done.state, done.error) == (JobState.DONE, None)
    image = parts.gallery.page()[0]
    assert (image.width, image.height) == (832, 800)
    assert image.cost == pytest.approx(COST)
    assert (image.request.provider, image.request.model) == ("openai", "gpt-image-2.6-flare")
    recipe = read_recipe(parts.gallery.file(image))
    assert recipe.notes == ("prompt revised by the provider: a red fox in the snow",)
    assert recipe.environment["cost"] == f"{COST:.4f} USD"
    asked = openai.seen("/generations")[0].json
    assert (asked["size"], asked["quality"], asked["stream"], asked["model"]) == (
        "832x800", "low", True, "gpt-image-2.6-flare",
    )  # fmt: skip
    assert asked["prompt"].startswith("a red fox, watercolor")
    events = [event.event for event in heard if isinstance(event, JobEvent)]
    previews = [event for event in events if isinstance(event, Preview)]
    assert [(preview.width, preview.height) for preview in previews] == [(64, 64)] * 2
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3]
    assert openai.charges == [asked["prompt"]]
    assert parts.ledger.accounts()["openai"].month.known == pytest.approx(COST)
    assert not list((parts.home.root / "received").iterdir())


def test_a_batch_is_one_request_for_each_picture(parts: Parts, openai: FakeOpenAI) -> None:
    job = parts.queue.add(wish(count=3))
    until_empty(parts)
    assert parts.queue.get(job.id).images_done == 3
    assert len(openai.charges) == len(openai.seen("/generations")) == 3


def test_an_edit_and_a_mask(parts: Parts, openai: FakeOpenAI) -> None:
    source = parts.sources.keep(png(900, 850))
    mask = parts.sources.keep(half_mask(900, 850))
    parts.queue.add(wish(image=source, mask=mask))
    until_empty(parts)
    assert parts.gallery.page()[0].request.task == "inpaint"
    form = form_of(openai.seen("/edits")[0])
    image, cutout = decode_image(form["image"]), decode_image(form["mask"])
    assert (image.width, image.height) == (cutout.width, cutout.height) == (832, 800)
    assert cutout.alpha is not None
    assert (cutout.alpha[0], cutout.alpha[831]) == (0, 255), "transparent where to paint"


def test_a_server_that_does_not_stream_is_understood(parts: Parts, openai: FakeOpenAI) -> None:
    openai.streams = False
    parts.queue.add(wish())
    until_empty(parts)
    assert parts.gallery.page()[0].cost == pytest.approx(COST)


def test_sizes_and_numbers_are_brought_to_what_the_model_has_and_that_is_said(parts: Parts, openai: FakeOpenAI) -> None:
    asked = wish(width=512, height=512, seed=5, negative_prompt="blur")
    job = parts.queue.add(asked)
    until_empty(parts)
    image = parts.gallery.page()[0]
    assert (image.width, image.height, image.request.seed) == (816, 816, None)
    notes = read_recipe(parts.gallery.file(image)).notes
    assert notes == parts.compose.fitted(job.request).notes
    assert notes == (
        "size 512 × 512 snapped to 816 × 816",
        "seed left out: GPT Image 2.6 Flare has none",
        "negative prompt left out: GPT Image 2.6 Flare has none",
    )
    assert openai.seen("/generations")[0].json["size"] == "816x816"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": "dall-e-3"}, "gpt-image-2.6-sunburst"),
        ({"model": "paper"}, "gpt-image-2.6-flare"),
        ({"quality": "hd"}, "xhigh"),
        ({"background": "pink"}, "transparent"),
        ({"model": "gpt-image-2", "quality": "max"}, "high"),
    ],
)
def test_what_no_model_has_is_bad_input(parts: Parts, openai: FakeOpenAI, change: dict[str, str], word: str) -> None:
    with pytest.raises(BadInput, match=word):
        parts.queue.add(wish(**change))
    assert openai.requests == []


def test_cancel_while_the_picture_comes_leaves_at_once(parts: Parts, openai: FakeOpenAI) -> None:
    gate = openai.gate("partial")
    job = parts.queue.add(wish())
    On(parts, is_preview, lambda: parts.queue.cancel([job.id]))
    until_empty(parts)
    assert gate.reached.is_set()
    assert parts.queue.get(job.id).state is JobState.CANCELLED
    assert parts.gallery.count() == 0
    assert parts.ledger.accounts()["openai"].month.perhaps > 0


def is_preview(heard: Announcement) -> bool:
    return isinstance(heard, JobEvent) and isinstance(heard.event, Preview)


def test_pausing_waits_for_the_picture_that_is_paid_for(parts: Parts, openai: FakeOpenAI) -> None:
    job = parts.queue.add(wish(count=3))
    On(parts, is_preview, lambda: parts.queue.pause(job.id))
    until_empty(parts)
    paused = parts.queue.get(job.id)
    assert (paused.state, paused.images_done, len(openai.charges)) == (JobState.PAUSED, 1, 1)
    parts.queue.resume(job.id)
    until_empty(parts)
    assert parts.queue.get(job.id).images_done == len(openai.charges) == 3


def test_local_jobs_go_on_while_a_provider_waits(parts: Parts, openai: FakeOpenAI) -> None:
    openai.fault = "no credit"
    paid = parts.queue.add_many([wish(), wish("another")])
    local = parts.queue.add(GenerationRequest(prompt="a cat", model="paper", width=16, height=8, steps=2))
    until_empty(parts)
    assert parts.queue.get(local.id).state is JobState.DONE
    first = parts.queue.get(paid[0].id)
    assert first.state is JobState.QUEUED
    assert first.error is not None and first.error.kind == "out_of_credit"
    assert len(openai.requests) == 1, "the second was not even tried"
    assert parts.holds.reason("openai") is not None
    openai.fault = ""
    parts.holds.release("openai")
    until_empty(parts)
    assert [parts.queue.get(job.id).state for job in paid] == [JobState.DONE] * 2


def test_the_monthly_limit_stops_this_provider_only(parts: Parts, openai: FakeOpenAI) -> None:
    parts.settings.set("monthly_limit_dollars", 0.10)
    jobs = parts.queue.add_many([wish(quality="low") for _ in range(6)])
    until_empty(parts)
    states = [parts.queue.get(job.id).state for job in jobs]
    spent = parts.ledger.accounts()["openai"].month
    assert spent.most <= 0.10
    assert states.count(JobState.DONE) == len(openai.charges) in (2, 3)
    reason = parts.holds.reason("openai")
    assert reason is not None and reason.kind == "spending_limit"
    parts.settings.set("monthly_limit_dollars", 0)
    until_empty(parts)
    assert len(openai.charges) == 6


def test_without_a_key_nothing_leaves(parts: Parts, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    job = parts.queue.add(wish())
    until_empty(parts)
    failed = parts.queue.get(job.id)
    assert failed.error is not None and failed.error.kind == "key" and "keys set openai" in failed.error.advice
    assert openai.requests == []


def test_http_is_for_this_machine_only(parts: Parts, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://192.0.2.1/v1")
    job = parts.queue.add(wish())
    until_empty(parts)
    failed = parts.queue.get(job.id)
    assert failed.state is JobState.FAILED
    assert failed.error is not None and "https" in failed.error.message


def test_the_key_goes_into_one_header_and_nowhere_else(parts: Parts, openai: FakeOpenAI) -> None:
    parts.queue.add(wish())
    until_empty(parts)
    for seen in openai.requests:
        assert KEY not in seen.path and KEY.encode() not in seen.body
        assert [name for name, value in seen.headers.items() if KEY in value] == ["Authorization"]


def test_a_job_left_in_flight_by_closing_is_uncertain_and_stays_so(
    open_parts, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("imagegen_desktop.providers.openai._PAUSE_SECONDS", 0.05)
    job = left_in_flight(open_parts, wish(), openai.gate("billed"))
    second = open_parts()
    second.recover()
    until_empty(second)
    left = second.queue.get(job)
    assert left.state is JobState.UNCERTAIN
    assert left.error is not None and "retry" in left.error.advice
    assert len(openai.charges) == 1
    second.queue.retry(job)
    until_empty(second)
    assert second.queue.get(job).state is JobState.DONE
    assert len(openai.charges) == 2, "the artist asked for it"


def test_undoing_does_not_send_again_what_may_be_paid_for(parts: Parts, openai: FakeOpenAI) -> None:
    openai.fault = "closed"
    job = parts.queue.add(wish())
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.UNCERTAIN
    parts.queue.cancel([job.id])
    parts.undo.undo()
    until_empty(parts)
    assert (parts.queue.get(job.id).state, len(openai.charges)) == (JobState.CANCELLED, 1)


def test_a_full_disk_does_not_lose_what_was_paid_for(
    parts: Parts, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        raise DiskProblem(f"There is no space left in {path.parent}.", "Free some.")

    job = parts.queue.add(wish())
    with monkeypatch.context() as disk:
        disk.setattr("imagegen_desktop.services.paid.write_durably", full)
        until_empty(parts)
    failed = parts.queue.get(job.id)
    assert failed.error is not None and failed.error.kind == "disk"
    parts.queue.retry(job.id)
    until_empty(parts)
    assert (parts.queue.get(job.id).state, parts.gallery.count(), len(openai.charges)) == (JobState.DONE, 1, 1)
    assert parts.ledger.accounts()["openai"].month.perhaps == 0


def test_nothing_of_it_is_in_json_that_should_not_be(parts: Parts, openai: FakeOpenAI) -> None:
    parts.queue.add(wish())
    until_empty(parts)
    recipe = json.loads(read_recipe(parts.gallery.file(parts.gallery.page()[0])).to_json())
    assert set(recipe) == {
        "version", "request", "index", "image", "job", "model_hash", "app_version", "created", "resumed_at",
        "parents", "notes", "environment", "hashes",
    }  # fmt: skip
