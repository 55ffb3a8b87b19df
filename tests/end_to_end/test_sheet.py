"""A contact sheet costs what it shows: 40 seeds for 6 of 30 steps, and 3 pictures finished."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import Parts, assemble

pytestmark = pytest.mark.slow


def calls_of(parts: Parts) -> int:
    """Denoiser calls so far; the engine tells them when it has nothing to do."""
    while parts.engines.first.status().state != "ready":
        parts.runner.wait_for_work(0.05)
    return parts.engines.first.last_idle.denoiser_calls


def draw_all(parts: Parts) -> int:
    """Works until nothing waits; the denoiser calls that took."""
    before = parts.engines.first.last_idle.denoiser_calls
    while parts.runner.work_once():
        pass
    return calls_of(parts) - before


def test_only_the_chosen_are_finished_and_no_step_is_done_twice(
    home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGEN_DESKTOP_THREADS", "1")
    request = GenerationRequest(
        prompt="a fox", model=str(tiny), width=64, height=64, steps=30, seed=100, sampler="Euler a", use_cache=False
    )
    parts = assemble(Home(home))
    try:
        jobs = parts.sheets.begin(request, seeds=40, until=6)
        assert draw_all(parts) == 40 * 6
        assert parts.gallery.count() == 0
        chosen = [jobs[index].id for index in (3, 17, 39)]
        parts.sheets.finish(chosen)
        assert draw_all(parts) == 3 * 24
        whole = [parts.queue.add(replace(request, seed=100 + index)).id for index in (3, 17, 39)]
        assert draw_all(parts) == 3 * 30
        made = {image.job: image.pixels_sha256 for image in parts.gallery.page()}
        assert [made[job] for job in chosen] == [made[job] for job in whole]
    finally:
        parts.close()
