"""An urgent job takes its turn in the middle of another, which ends as if nothing had been."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.protocol.messages import Started, Step
from imagegen_desktop.services.announce import Announcement, JobEvent
from imagegen_desktop.services.assemble import assemble

pytestmark = pytest.mark.slow


def test_the_job_that_made_room_ends_the_same_to_the_byte(
    home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGEN_DESKTOP_THREADS", "1")
    batch = GenerationRequest(prompt="a fox", model=str(tiny), width=64, height=64, steps=150, seed=1, use_cache=False)
    urgent = replace(batch, prompt="an owl", steps=3, seed=2, priority=10)
    parts = assemble(Home(home))
    order: list[tuple[str, int]] = []

    def listen(heard: Announcement) -> None:
        if isinstance(heard, JobEvent) and isinstance(heard.event, Started):
            order.append((heard.job, heard.event.step))
        if isinstance(heard, JobEvent) and isinstance(heard.event, Step) and len(order) == 1 and heard.event.step == 5:
            order.append((parts.queue.add(urgent).id, -1))

    try:
        first = parts.queue.add(batch).id
        parts.announce.subscribe(listen)
        while parts.runner.work_once():
            pass
        hurried = order[1][0]
        (_, begun), (_, _), (second, _), (third, went_on) = order
        assert (begun, second, third) == (0, hurried, first)
        assert 5 <= went_on < 150
        whole = parts.queue.add(batch).id
        while parts.runner.work_once():
            pass
        made = {image.job: image for image in parts.gallery.page()}
        assert made[first].resumed_at == went_on
        assert made[first].pixels_sha256 == made[whole].pixels_sha256
        assert {parts.queue.get(job).state for job in (first, hurried, whole)} == {JobState.DONE}
    finally:
        parts.close()
