"""Two processes on one home, both adding jobs and both drawing: every job is drawn exactly once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from imagegen_desktop.domain.job import JobState
from tests.faults.lives import ROOT, check_database
from tests.faults.scripted import new_home, opened

pytestmark = pytest.mark.slow

BUSY = """
import sys
from pathlib import Path
from tests.faults.scripted import opened, wish

name, count = sys.argv[2], int(sys.argv[3])
parts = opened(Path(sys.argv[1]))
for number in range(count):
    print(parts.queue.add(wish(f"{name} {number}", count=1 + number % 3)).id, flush=True)
    if number % 2:
        parts.runner.work_once()
while parts.runner.work_once():
    pass
parts.close()
"""


def busy(home: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUSY, str(home), name, str(count)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment, text=True)


def test_two_processes_draw_every_job_once(home: Path, fault_count: int) -> None:
    """`--faults 5` adds 20 jobs from each, 25 and more the 100 of the promise."""
    count = min(100, fault_count * 4)
    new_home(home)
    processes = [busy(home, name, count) for name in ("window", "command line")]
    accepted = [line.strip() for process in processes for line in process.communicate(timeout=600)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(set(accepted)) == 2 * count
    parts = opened(home)
    try:
        jobs = [parts.queue.get(job) for job in accepted]
        assert {(job.state, job.attempts) for job in jobs} == {(JobState.DONE, 1)}
        made = Counter(image.job for image in parts.gallery.page(limit=10_000))
        assert made == {job.id: job.request.count for job in jobs}
        files = list((home / "images").rglob("*.png"))
        assert len(files) == made.total(), "an image was drawn twice"
    finally:
        parts.close()
    check_database(home / "library.sqlite3")
    print(f"{2 * count} jobs from two processes, each done once, {made.total()} images")
