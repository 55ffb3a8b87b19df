"""Two real engines: pictures drawn side by side are those one engine draws, also when one of the two is killed."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
from pathlib import Path

import pytest

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import assemble
from tests.end_to_end.conftest import Call, events
from tests.services.test_several_engines import Watch, workers

pytestmark = pytest.mark.slow


def wishes(model: Path, steps: int) -> list[GenerationRequest]:
    plain = {"model": str(model), "width": 64, "height": 64, "steps": steps, "use_cache": False}
    return [GenerationRequest(prompt="a fox", seed=seed, **plain) for seed in range(4)]  # type: ignore[arg-type]


def test_a_killed_engine_goes_on_from_its_snapshot_and_the_other_one_never_stops(
    home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"THREADS": "1", "DEVICE": "cpu, cpu", "SNAPSHOT_SECONDS": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(f"IMAGEGEN_DESKTOP_{name}", value)
    parts = assemble(Home(home))
    try:
        for engine in parts.engines.all:  # both have their libraries before the first of them could be done
            engine.start()
        assert [engine.wait_until_ready(120).state for engine in parts.engines.all] == ["ready", "ready"]
        watch = Watch(parts)
        steady, killed = (parts.queue.add(request).id for request in wishes(tiny, 250)[:2])
        with workers(parts):
            watch.until(watch.begun(steady, killed))
            victim = parts.engines.of(killed)
            assert victim is not None and victim is not parts.engines.of(steady)
            watch.until(lambda: any(Home(home).snapshots.glob(f"{killed}-*.safetensors")))
            os.kill(victim.process_id() or 0, signal.SIGKILL)
            watch.until(lambda: all(parts.queue.get(job).state is JobState.DONE for job in (steady, killed)))
            assert [parts.queue.get(job).attempts for job in (steady, killed)] == [1, 2]
            assert watch.steps.count((killed, 1)) == 1, "what a snapshot held is not drawn again"
            assert watch.steps.count((steady, 250)) == 1
            undisturbed = parts.queue.add(wishes(tiny, 250)[1]).id
            watch.until(lambda: parts.queue.get(undisturbed).state is JobState.DONE)
        made = {image.job: image.pixels_sha256 for image in parts.gallery.page()}
        assert made[killed] == made[undisturbed]
    finally:
        parts.close()


def test_the_command_line_draws_on_both(
    home: Path, tiny: Path, call: Call, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment["IMAGEGEN_DESKTOP_DEVICE"] = "cpu,cpu"
    parts = assemble(Home(home), engine=False)
    jobs = [job.id for job in parts.queue.add_many(wishes(tiny, 60))]
    parts.close()
    done: subprocess.CompletedProcess[str] = call("queue", "run", "--until-empty", "--json")
    told = events(done)
    assert sorted(event["job"] for event in told if event["event"] == "image") == sorted(jobs)
    assert sorted(event["job"] for event in told if event["event"] == "done") == sorted(jobs)
    drawn = [event["job"] for event in told if event["event"] == "step"]
    changes = sum(job != later for job, later in itertools.pairwise(drawn))
    assert changes > 2 * len(jobs), "pictures are drawn side by side, not one after the other"


def test_a_bad_device_is_one_line(call: Call, environment: dict[str, str]) -> None:
    environment["IMAGEGEN_DESKTOP_DEVICE"] = "gpu"
    refused = call("queue", "list")
    assert refused.returncode == 2
    [line] = refused.stderr.splitlines()
    assert "device" in line and "gpu" in line and "cuda:0" in line
