"""The window against a bare one: its start, and how long its event loop is ever away."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measured import Measured, paired_ratio

_HERE = Path(__file__).parent


def first_paint(model: Path, rounds: int) -> list[Measured]:
    """From the start of the process to the first paint, against a script with an empty window."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IMAGEGEN_DESKTOP_HOME"] = folder
        for _ in range(rounds + 1):
            theirs.append(_seconds_until("painted", "bare_window.py"))
            ours.append(_seconds_until("painted", "our_window.py"))
    ratio = paired_ratio(ours[1:], theirs[1:])
    detail = f"bare {statistics.median(theirs[1:]):.2f} s"
    return [Measured(name="first paint / bare window", value=ratio, bound=2.0, detail=detail)]


def event_loop_gap(model: Path, rounds: int) -> list[Measured]:
    """The longest time the event loop is away while the engine imports, loads and draws, less the same when idle."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IMAGEGEN_DESKTOP_HOME"] = folder
        command = [sys.executable, str(_HERE / "window_gaps.py"), str(model)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    gaps = json.loads(done.stdout.splitlines()[-1])
    worst = max(gaps["busy"]) - max(gaps["idle"])
    return [Measured(name="longest event-loop gap while drawing, less idle", value=worst, bound=50.0, unit="ms")]


def many_jobs(model: Path, rounds: int) -> list[Measured]:
    """The longest time the event loop is away with 10,000 jobs in the queue, less the same when idle; when they are
    first shown, less the same with a few: a new window paints itself for a while in any case."""
    gaps, few = _gaps_with(10_000), _gaps_with(30)
    less = {name: few["showing"] if name == "showing" else gaps["idle"] for name in gaps if name != "idle"}
    return [
        Measured(name=f"gap with 10,000 jobs: {deed}", value=gaps[deed] - usual, bound=50.0, unit="ms")
        for deed, usual in less.items()
    ]


def _gaps_with(jobs: int) -> dict[str, float]:
    """The longest gap in ms of each thing that window_queue.py does."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IMAGEGEN_DESKTOP_HOME"] = folder
        command = [sys.executable, "-m", "tests.benchmarks.window_queue", str(jobs)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    gaps: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return gaps


def _seconds_until(word: str, script: str) -> float:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, str(_HERE / script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while (line := process.stdout.readline()).strip() != word:
        if not line:
            raise RuntimeError(f"{script} ended without a word")
    seconds = time.perf_counter() - began
    process.stdout.close()
    process.wait()
    return seconds


MEASURES = (first_paint, event_loop_gap, many_jobs)
