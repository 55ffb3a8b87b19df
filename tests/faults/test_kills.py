"""SIGKILL to the application at random moments: what it said is finished stays, and nothing is left running."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import apsw
import psutil
import pytest

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import assemble

pytestmark = pytest.mark.slow

APP = Path(__file__).parent / "app.py"
ROOT = APP.parent.parent.parent


def live_and_die(home: Path, seconds: float, seed: int, half_drawn: bool) -> list[tuple[str, list[str]]]:
    """Runs the application until its first finished image and `seconds` longer, and where `half_drawn` until it has a
    snapshot as well; kills it; what it had said, in order.

    The word `open` is followed by how long that took.
    """
    began = time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    app = subprocess.Popen(
        [sys.executable, str(APP), str(home), str(seed)], stdout=subprocess.PIPE, env=environment, text=True
    )
    said: list[tuple[str, list[str]]] = []
    assert app.stdout is not None
    ends = None
    for line in app.stdout:
        word, *rest = line.split()
        said.append((word, rest if word != "open" else [str(time.monotonic() - began)]))
        if word == "image" and ends is None:
            ends = time.monotonic() + seconds
        if ends is not None and time.monotonic() >= ends and (not half_drawn or held_in(home / "snapshots")):
            break
    app.send_signal(signal.SIGKILL)
    for line in app.stdout:  # what was in the pipe had been said before the end
        word, *rest = line.split()
        said.append((word, rest))
    app.wait()
    app.stdout.close()
    return said


def held_in(snapshots: Path) -> dict[tuple[str, str], int]:
    """The step that each snapshot holds, by job and index."""
    found = {}
    for file in snapshots.glob("*.safetensors"):
        job, _, index = file.stem.rpartition("-")
        found[job, index] = int(json.loads(file.read_bytes())["step"])
    return found


def check_no_step_is_done_again(
    held: dict[tuple[str, str], int], said: list[tuple[str, list[str]]], edited: set[str]
) -> int:
    """Whatever began had a snapshot's steps behind it, unless its job may have been edited since (`edited` outlives
    this life); how many went on from one."""
    gone_on = 0
    for word, rest in said:
        if word == "edit":
            edited.add(rest[0])
        elif word == "begun":
            job, index, step = rest
            expected = held.pop((job, index), 0)
            if job not in edited:
                assert int(step) >= expected, f"image {index} of {job} was at step {expected} and began again at {step}"
                gone_on += expected > 0
            edited.discard(job)  # what is kept of it from now on is of the edited job
    return gone_on


def gone_within(pid: int, seconds: float) -> bool:
    try:
        psutil.Process(pid).wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_kills_lose_nothing_that_was_promised(home: Path, model: Path, fault_count: int) -> None:
    """At least 10."""
    kills = max(10, fault_count)
    chance = random.Random(1)
    images: dict[str, list[str]] = {}
    jobs: set[str] = set()
    edited: set[str] = set()
    starts, gone_on = [], 0
    for number in range(kills):
        held = held_in(home / "snapshots")
        said = live_and_die(home, chance.uniform(0.0, 0.8), number, half_drawn=number % 2 == 1)
        images |= {image: file for word, (image, *file) in said if word == "image"}
        jobs |= {rest[0] for word, rest in said if word == "job"}
        starts += [float(rest[0]) for word, rest in said if word == "open"]
        gone_on += check_no_step_is_done_again(held, said, edited)
        engines = [int(rest[0]) for word, rest in said if word == "engine"]
        assert all(gone_within(pid, 5) for pid in engines[-1:]), "an engine outlived its parent"
    parts = assemble(Home(home), engine=False)
    try:
        parts.recover()
        for image, (path, sha256) in images.items():
            assert parts.gallery.get(image).file_sha256 == sha256
            assert hashlib.sha256((home / path).read_bytes()).hexdigest() == sha256
        states = {job: parts.queue.get(job).state for job in jobs}
        assert not {JobState.LEASED, JobState.RUNNING, JobState.SAVING} & set(states.values())
        made = [(image.job, image.index) for image in parts.gallery.page(limit=1_000_000)]
        assert len(made) == len(set(made))
    finally:
        parts.close()
    connection = apsw.Connection(str(home / "library.sqlite3"))
    assert connection.pragma("integrity_check") == "ok"
    connection.close()
    start = statistics.median(starts)
    print(
        f"{kills} kills, {len(images)} finished images, {len(jobs)} accepted jobs, 0 lost; {gone_on} images went"
        f" on from a snapshot, none from an earlier step; a start took {start:.2f} s, the longest {max(starts):.2f} s"
    )
    assert start <= 3
    assert gone_on
