"""The local provider: what it has asked its engine for is drawn as long as somebody wants it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegen_desktop.domain.job import Job, JobState
from imagegen_desktop.domain.model_card import ModelCard
from imagegen_desktop.domain.request import MAX_COUNT, GenerationRequest
from imagegen_desktop.protocol.messages import Failed, Image, Start, Started, Step
from imagegen_desktop.providers.base import Assignment
from imagegen_desktop.providers.engines import Engines
from imagegen_desktop.providers.local import LocalProvider
from tests.fake_engine import pixels_of
from tests.providers.test_engine_process import FAKE

MODEL = ModelCard(name="paper", path="paper", family="sd1", size_bytes=0)


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalProvider]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
    engines = Engines(Start(), ("cpu",), FAKE)
    made = LocalProvider(engines, lambda job, index: str(tmp_path / f"{job}-{index}"), lambda: 0.0)
    yield made
    made.close()


def assignment(job: str, prompt: str, **changes: object) -> Assignment:
    values: dict[str, object] = {"prompt": prompt, "model": "paper", "width": 8, "height": 8, "steps": 3, "seed": 7}
    request = GenerationRequest(**(values | changes))  # type: ignore[arg-type]
    return Assignment(job=Job(id=job, state=JobState.RUNNING, request=request, created=""), model=MODEL)


def test_a_job_that_nobody_follows_any_more_is_not_drawn_on(provider: LocalProvider) -> None:
    endless = provider.run(assignment("endless", "[slow=0.2]", steps=1_000, count=3))
    assert isinstance(next(endless), Started)
    assert isinstance(next(endless), Step)
    endless.close()  # type: ignore[attr-defined]
    heard = list(provider.run(assignment("next", "a cat")))
    assert isinstance(heard[-1], Image)


def test_the_other_images_of_a_job_that_failed_are_not_drawn(provider: LocalProvider) -> None:
    failing = provider.run(assignment("failing", "[fail=0@2][slow=0.2]", steps=1_000, count=2))
    for event in failing:
        if isinstance(event, Failed):
            break
    failing.close()  # type: ignore[attr-defined]
    heard = list(provider.run(assignment("next", "a cat")))
    assert isinstance(heard[-1], Image)


def test_the_words_of_the_largest_batch_do_not_burden_a_picture(provider: LocalProvider) -> None:
    """Together they are more than a message may be."""
    words = tuple(f"{'a cat, ' * 100}{number}" for number in range(MAX_COUNT))
    batch = assignment("batch", "{cats}", prompts=words, count=MAX_COUNT)
    events = provider.run(batch)
    pictures = (event for event in events if isinstance(event, Image))
    for index in range(3):
        picture = next(pictures)
        assert (picture.index, picture.pixels) == (index, pixels_of(batch.job.request.only(index), 7 + index))
    events.close()  # type: ignore[attr-defined]
