"""SIGKILL to the real engine in the middle of a picture: the picture is the same, and the engine is back at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.protocol.messages import Step
from imagegen_desktop.services.announce import Announcement, EngineChanged, JobEvent
from imagegen_desktop.services.assemble import Parts, assemble
from tests.faults.test_engine_deaths import ended, no_giving_up, until, working  # noqa: F401  a fixture
from tests.tiny_models import build

pytestmark = pytest.mark.slow

BARE = "import torch; from diffusers import StableDiffusionPipeline"
STEPS = 60


class Killer:
    """Kills the engine once, when it has done a step; says how long it took to be back."""

    def __init__(self, parts: Parts) -> None:
        self.at_step = 0
        self.returns: list[float] = []
        self.back = threading.Event()
        self._parts = parts
        self._died = 0.0
        parts.announce.subscribe(self._hear)

    def _hear(self, heard: Announcement) -> None:
        if isinstance(heard, JobEvent) and isinstance(heard.event, Step) and heard.event.step == self.at_step:
            self.at_step = 0
            pid = self._parts.engines.first.process_id()
            assert pid is not None
            self._died = time.monotonic()
            os.kill(pid, signal.SIGKILL)
        if isinstance(heard, EngineChanged) and heard.status.state == "ready" and self._died:
            self.returns.append(time.monotonic() - self._died)
            self._died = 0.0
            self.back.set()


def bare_import() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", BARE], check=True, capture_output=True)
    return time.monotonic() - began


def test_a_killed_engine_is_back_and_its_picture_is_the_same(
    home: Path,
    tmp_path: Path,
    fault_count: int,
    no_giving_up: None,  # noqa: F811  the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--faults 5` kills it 3 times, from 50 on as often as asked."""
    monkeypatch.setenv("IMAGEGEN_DESKTOP_THREADS", "1")
    monkeypatch.setenv("IMAGEGEN_DESKTOP_SNAPSHOT_SECONDS", "0")
    deaths = fault_count if fault_count >= 50 else 3
    wish = GenerationRequest(
        prompt="a fox", model=str(build("sd1", tmp_path / "tiny")), width=64, height=64, steps=STEPS, seed=1,
        use_cache=False,
    )  # fmt: skip
    chance, bare = random.Random(5), []
    parts = assemble(Home(home))
    try:
        killer = Killer(parts)
        with working(parts):
            whole = parts.queue.add(wish).id
            until(ended(parts, [whole]))
            jobs = []
            for number in range(deaths):
                if number % 10 == 0:
                    until(lambda: parts.engines.first.status().state == "ready")
                    bare.append(bare_import())
                killer.back.clear()
                killer.at_step = chance.randint(1, STEPS - 1)
                jobs.append(parts.queue.add(wish).id)
                assert killer.back.wait(60)
                until(ended(parts, jobs[-1:]))
        made = {image.job: image for image in parts.gallery.page(limit=10_000)}
        assert {parts.queue.get(job).state for job in jobs} == {JobState.DONE}
        assert {made[job].pixels_sha256 for job in jobs} == {made[whole].pixels_sha256}
        gone_on = [made[job].resumed_at or 0 for job in jobs]
        assert parts.engines.first.status().restarts == deaths
    finally:
        parts.close()
    ratio = min(killer.returns) / min(bare)  # other work can only add to either
    print(
        f"{deaths} deaths of the real engine, every picture the same, {sum(map(bool, gone_on))} from a snapshot;"
        f" ready again in {ratio:.2f} × a bare import of torch and diffusers ({min(bare):.1f} s)"
    )
    assert ratio <= 1.2
