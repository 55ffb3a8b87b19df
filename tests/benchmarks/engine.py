"""The engine against the bare pipeline: whole jobs, previews, start, repeated prompts, the gap between two jobs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.protocol.messages import Event, Generate, Image, Message, Start, Started, Step
from imagegen_desktop.providers.engine_process import EngineProcess
from imagegen_desktop.services.announce import Announcement, JobEvent
from imagegen_desktop.services.assemble import Parts, assemble
from tests.benchmarks.measured import Measured, paired_ratio

STEPS = 20
IMPORT = "import torch; from diffusers import StableDiffusionPipeline"


class Bare:
    """The bare pipeline in a process of its own."""

    def __init__(self, model: Path) -> None:
        script = Path(__file__).with_name("bare.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._ask, self._answers = self._process.stdin, self._process.stdout
        while self._answers.readline().strip() != "ready":
            pass

    def seconds(self, prompt: str, seed: int) -> float:
        wish = {"prompt": prompt, "num_inference_steps": STEPS, "width": 256, "height": 256, "seed": seed}
        self._ask.write(json.dumps(wish) + "\n")
        self._ask.flush()
        return float(self._answers.readline())

    def close(self) -> None:
        self._ask.close()
        self._process.wait()


@contextmanager
def opened(preview_every: int = 1) -> Iterator[Parts]:
    """Our program on a fresh home, its engine ready."""
    os.environ["IMAGEGEN_DESKTOP_PREVIEW_EVERY"] = str(preview_every)
    with tempfile.TemporaryDirectory() as folder:
        parts = assemble(Home(Path(folder)))
        try:
            parts.engines.first.wait_until_ready(120)
            yield parts
        finally:
            parts.close()


def wish(model: Path, prompt: str, seed: int) -> GenerationRequest:
    return GenerationRequest(
        prompt=prompt,
        model=str(model),
        width=256,
        height=256,
        steps=STEPS,
        seed=seed,
        guidance=7.5,
        sampler="Model default",
    )


def seconds_of_job(parts: Parts, model: Path, prompt: str, seed: int) -> float:
    """From asking for it to having the picture."""
    began = time.perf_counter()
    heard = heard_of_job(parts, wish(model, prompt, seed))
    return next(when for when, event in heard if isinstance(event, Image)) - began


def heard_of_job(parts: Parts, request: GenerationRequest) -> list[tuple[float, Event]]:
    """What is said of a job from asking for it to its end, and when."""
    events: list[tuple[float, Event]] = []

    def listen(heard: Announcement) -> None:
        if isinstance(heard, JobEvent):
            events.append((time.perf_counter(), heard.event))

    unsubscribe = parts.announce.subscribe(listen)
    parts.runner.run(parts.queue.add(request, owner=parts.runner.owner))
    unsubscribe()
    return events


def whole_jobs(model: Path, rounds: int) -> list[Measured]:
    """A job through queue, provider and engine, with a preview of every step, against the bare pipeline."""
    bare = Bare(model)
    ours, theirs = [], []
    with opened() as parts:
        parts.models.add(model)
        for seed in range(rounds + 2):
            prompt = f"a fox {seed}"
            theirs.append(bare.seconds(prompt, seed))
            ours.append(seconds_of_job(parts, Path(model.name), prompt, seed))
    bare.close()
    ratio = paired_ratio(ours[2:], theirs[2:])
    step = statistics.median(theirs[2:]) / STEPS * 1000
    return [Measured(name="whole job / bare pipeline", value=ratio, bound=1.05, detail=f"a step takes {step:.0f} ms")]


def previews(model: Path, rounds: int) -> list[Measured]:
    """What a preview costs, as a share of a step of 20 ms: every second step has one, and what it takes delays the
    next, so that steps with and without one are compared in pairs within one job."""
    costs, steps = [], []
    with opened(preview_every=2) as parts:
        for seed in range(max(2, rounds // 2)):
            heard = heard_of_job(parts, replace(wish(model, "a fox", seed), steps=200))
            seconds = [event.seconds for _, event in heard if isinstance(event, Step)]
            pairs = list(zip(seconds[2::2], seconds[3::2], strict=False))
            costs += [after - before for after, before in pairs]
            steps += [before for _, before in pairs]
    cost = statistics.median(costs)
    detail = f"{cost * 1e6:.0f} µs beside a step of {statistics.median(steps) * 1000:.0f} ms"
    return [
        Measured(name="preview of every step, share of a 20 ms step", value=cost / 0.020, bound=0.01, detail=detail)
    ]


def ready(model: Path, rounds: int) -> list[Measured]:
    """From starting the engine to its Ready, against a script that only imports torch and the pipeline."""
    ours, theirs = [], []
    for _ in range(min(rounds, 3)):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORT], check=True)
        theirs.append(time.perf_counter() - began)
        process = EngineProcess(Start())
        began = time.perf_counter()
        process.start()
        process.wait_until_ready(120)
        ours.append(time.perf_counter() - began)
        process.close()
    detail = f"bare {statistics.median(theirs):.1f} s"
    return [Measured(name="engine ready / bare import", value=paired_ratio(ours, theirs), bound=1.2, detail=detail)]


def repeated_prompts(model: Path, rounds: int) -> list[Measured]:
    """How often the text encoder runs for a prompt it has seen."""
    with opened() as parts:
        seconds_of_job(parts, model, "a fox", 1000)
        before = parts.engines.first.last_idle.text_encodings
        for seed in range(rounds):
            seconds_of_job(parts, model, "a fox", seed)
        runs = _until_idle(parts, lambda: parts.engines.first.last_idle.text_encodings) - before
    return [Measured(name="text-encoder runs for a repeated prompt", value=runs, bound=0)]


def gap_between_jobs(model: Path, rounds: int) -> list[Measured]:
    """From one job's picture to the start of the next, when both were sent: encoding from the cache included."""
    process = EngineProcess(Start(threads=1))
    process.start()
    process.wait_until_ready(120)
    with process.listen("a") as first, process.listen("b") as second:
        gaps = [_gap(process, model, seed, first, second) for seed in range(rounds + 2)]
    process.close()
    gap = statistics.median(gaps[2:]) * 1000
    return [Measured(name="gap between two queued jobs", value=gap, bound=10.0, unit="ms")]


def _gap(
    process: EngineProcess, model: Path, seed: int, first: Callable[[], Message], second: Callable[[], Message]
) -> float:
    request = wish(model, "a fox", seed).to_dict()
    for job in ("a", "b"):
        process.send(Generate(job=job, index=0, request=request, model_path=str(model), family="sd1"))
    while not isinstance(first(), Image):
        pass
    ended = time.perf_counter()
    while not isinstance(second(), Started):
        pass
    began = time.perf_counter()
    while not isinstance(second(), Image):
        pass
    return began - ended


def _until_idle(parts: Parts, value: Callable[[], int]) -> int:
    """The value once the engine has told its counts."""
    while parts.engines.first.status().state != "ready":
        parts.runner.wait_for_work(0.05)
    return value()


MEASURES = (whole_jobs, previews, ready, repeated_prompts, gap_between_jobs)
