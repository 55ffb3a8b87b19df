"""The step boundary: what a snapshot costs, how soon a job goes on from one, how soon a more urgent job begins."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from imagegen_desktop.protocol.messages import Generate, Image, Message, Pause, Paused, Start, Started, Step
from imagegen_desktop.providers.engine_process import EngineProcess
from imagegen_desktop.services.announce import Announcement, JobEvent
from imagegen_desktop.services.assemble import Parts
from tests.benchmarks.engine import opened, wish
from tests.benchmarks.measured import Measured

_LEFT_AT = 5


def snapshots(model: Path, rounds: int) -> list[Measured]:
    """Of an SDXL job, one after every step, while the one before is being written."""
    command = [sys.executable, "-m", "tests.benchmarks.snapshot_cost", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    cost = (statistics.median(found["with"]) - statistics.median(found["without"])) * 1000
    detail = f"{found['bytes'] / 2**20:.1f} MB"
    return [Measured(name="a snapshot of an SDXL job", value=cost, bound=1.0, unit="ms", detail=detail)]


def resuming(model: Path, rounds: int) -> list[Measured]:
    """From asking for a half-done image to its next real step, its model and prompt being there."""
    process = EngineProcess(Start(threads=1))
    process.start()
    process.wait_until_ready(120)
    with tempfile.TemporaryDirectory() as folder, process.listen("a") as events:
        place = Path(folder) / "image.safetensors"
        waits = [_wait_to_go_on(process, events, model, place, seed) for seed in range(rounds + 2)]
    process.close()
    wait = statistics.median(waits[2:]) * 1000
    return [Measured(name="resume: to the first real step", value=wait, bound=100.0, unit="ms")]


def _wait_to_go_on(process: EngineProcess, events: Callable[[], Message], model: Path, place: Path, seed: int) -> float:
    request = wish(model, "a fox", seed).to_dict()
    command = Generate(
        job="a",
        index=0,
        request=request,
        model_path=str(model),
        family="sd1",
        snapshot=str(place),
        snapshot_seconds=60.0,
    )
    process.send(command)
    while not (isinstance(event := events(), Step) and event.step == _LEFT_AT):
        pass
    process.send(Pause(job="a"))
    while not isinstance(paused := events(), Paused):
        pass
    began = time.perf_counter()
    process.send(replace(command, resume=paused.snapshot))
    moments, steps = [], []
    while not isinstance(event := events(), Image):
        if isinstance(event, Step):
            moments.append(time.perf_counter())
            steps.append(event.seconds)
    assert event.resumed_at
    return moments[0] - began - statistics.median(steps[1:])


def pre_emption(model: Path, rounds: int) -> list[Measured]:
    """From the acceptance of a more urgent job to its first step, less one step of the job that makes room."""
    with opened() as parts:
        waits = [_wait_for_turn(parts, model, seed) for seed in range(rounds + 1)]
    wait = statistics.median(waits[1:]) * 1000
    return [Measured(name="pre-emption: to the first step, less a step", value=wait, bound=100.0, unit="ms")]


def _wait_for_turn(parts: Parts, model: Path, seed: int) -> float:
    batch = parts.queue.add(replace(wish(model, "a fox", seed), count=2)).id
    left, began, steps = threading.Event(), [], []

    def listen(heard: Announcement) -> None:
        if isinstance(heard, JobEvent) and heard.job == batch and isinstance(heard.event, Step):
            steps.append(heard.event.seconds)
            if heard.event.step == _LEFT_AT:
                left.set()
        if isinstance(heard, JobEvent) and heard.job != batch and isinstance(heard.event, Started):
            began.append(time.perf_counter())

    unsubscribe = parts.announce.subscribe(listen)
    worker = threading.Thread(target=lambda: [*iter(parts.runner.work_once, False)])
    worker.start()
    left.wait(60)
    parts.queue.add(replace(wish(model, "a fox", 1000 + seed), priority=10))
    accepted = time.perf_counter()
    worker.join()
    unsubscribe()
    return began[0] - accepted - statistics.median(steps)


MEASURES = (snapshots, resuming, pre_emption)
