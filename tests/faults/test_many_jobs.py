"""Ten thousand jobs: as quick as the database allows, in the same run on the same machine."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from imagegen_desktop.domain.job import JobState
from tests.faults.lives import ROOT
from tests.faults.scripted import new_home, opened, wish

pytestmark = pytest.mark.slow

MANY = 10_000


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def bare_insert(home: Path, library: Path) -> float:
    """The same rows into a bare table of the same shape, in one transaction."""
    source = apsw.Connection(str(library), flags=apsw.SQLITE_OPEN_READONLY)
    schema = [
        row[0] for row in source.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = 'jobs' AND sql IS NOT NULL")
    ]
    rows = list(source.execute("SELECT * FROM jobs"))
    source.close()
    bare = apsw.Connection(str(home / "bare.sqlite3"))
    bare.pragma("journal_mode", "WAL")
    bare.pragma("synchronous", "FULL")
    bare.execute(";".join(schema))
    marks = ", ".join("?" * len(rows[0]))

    def insert() -> None:
        with bare:
            bare.executemany(f"INSERT INTO jobs VALUES ({marks})", rows)

    needed = seconds(insert)
    bare.close()
    return needed


ADD = """
import gc, sys, time
from pathlib import Path
from tests.faults.scripted import opened, wish

parts = opened(Path(sys.argv[1]))
gc.freeze()  # as the window and the command line do
requests = [wish(f"a fox in the snow, number {number}", seed=number) for number in range(int(sys.argv[2]))]
began = time.perf_counter()
parts.queue.add_many(requests)
print(time.perf_counter() - began, flush=True)
parts.close()
"""

START = """
import sys
from pathlib import Path
from tests.faults.scripted import opened

parts = opened(Path(sys.argv[1]))
parts.recover()
print(len(parts.queue.jobs()), flush=True)
parts.close()
"""


def process(code: str, *arguments: object) -> str:
    """What a process of its own prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment, text=True).stdout


def start(home: Path) -> float:
    """What a new process takes until the whole queue can be shown."""
    return seconds(lambda: process(START, home))


def test_ten_thousand_jobs_are_added_as_quickly_as_rows(tmp_path: Path) -> None:
    """Completed, checked, written and acknowledged."""
    ratios = []
    for attempt in range(5):
        home = new_home(tmp_path / str(attempt))
        ours = float(process(ADD, home, MANY).splitlines()[-1])
        ratios.append(ours / bare_insert(home, home / "library.sqlite3"))
    ratio = statistics.median(ratios)
    print(
        f"{MANY:,} jobs are added in {ratio:.2f} × the time of a bare insert ({min(ratios):.2f} to {max(ratios):.2f})"
    )
    assert min(ratios) <= 3, "what other work slowed down says nothing about ours"


def test_ten_thousand_jobs_slow_no_start_down_and_are_cancelled_at_once(tmp_path: Path) -> None:
    empty, full = new_home(tmp_path / "empty"), new_home(tmp_path / "full")
    parts = opened(full)
    jobs = [job.id for job in parts.queue.add_many([wish(str(number)) for number in range(MANY)])]
    moving = seconds(lambda: parts.queue_edits.move(jobs[-1], 0))
    parts.close()
    start(empty)
    starts = [(start(full), start(empty)) for _ in range(7)]
    ratio = min(ours for ours, _ in starts) / min(bare for _, bare in starts)  # other work can only add to either
    parts = opened(full)
    try:
        cancelling = seconds(lambda: parts.queue.cancel(jobs))
        assert {parts.queue.get(job).state for job in (jobs[0], jobs[-1], jobs[MANY // 2])} == {JobState.CANCELLED}
        assert not parts.runner.work_once()
    finally:
        parts.close()
    print(
        f"a start with {MANY:,} jobs takes {ratio:.2f} × an empty one; move {moving:.3f} s, cancel {cancelling:.2f} s"
    )
    assert ratio <= 1.5
    assert cancelling <= 5
