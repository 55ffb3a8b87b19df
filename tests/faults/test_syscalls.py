"""Death, a full disk and a failing disk at every system call of one life: before or after, never between."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.lives import Lives, Said, check, warm
from tests.faults.scripted import new_home

pytestmark = pytest.mark.slow

WRITING = ("write", "pwrite64", "fsync", "fdatasync", "rename", "renameat2", "link", "unlink", "ftruncate", "mkdir")
FULL, FAILING = (
    ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "mkdir"),
    ("write", "pwrite64", "fsync", "fdatasync"),
)
OLD_LIBRARY = Path(__file__).parent.parent / "database" / "old" / "version-1.sqlite3"


@dataclass(frozen=True)
class Point:
    """The `number`th call of a thread, and what happens there, in strace's words."""

    kind: str
    thread: str
    call: str
    number: int
    fault: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.fault} at {self.call} {self.number} of {self.thread}"


@contextmanager
def traced(thread: int, *options: str) -> Iterator[None]:
    """While open, strace follows one thread; begins when it does."""
    tracer = subprocess.Popen(["strace", "-p", str(thread), *options], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    try:
        first = tracer.stderr.readline()
        if "attached" not in first:
            pytest.skip(f"strace cannot follow another process here: {first.strip()}")
        yield
    finally:
        tracer.terminate()
        tracer.communicate()


def live(lives: Lives, home: Path, kind: str, thread: str, *options: str) -> Said:
    """One life in which `thread` is followed by strace."""
    tracers = []

    def follow(name: str, number: int) -> None:
        if name.startswith(thread):
            tracers.append(traced(number, *options))
            tracers[-1].__enter__()

    try:
        return lives.live(home, kind, follow)
    finally:
        for tracer in tracers:
            tracer.__exit__(None, None, None)


def fresh(folder: Path, kind: str) -> Path:
    """A new home; for a life with the library of an older version in it, which is migrated at the start."""
    shutil.rmtree(folder, ignore_errors=True)
    home = new_home(folder)
    if kind == "life":
        shutil.copy(OLD_LIBRARY, home / "library.sqlite3")
    return home


def points(lives: Lives, folder: Path) -> Iterator[list[Point]]:
    """Every call that writes, in a life and in the making of a new home, as often as there are faults it may meet."""
    for kind, thread in (("opening", "main"), ("life", "main"), ("life", "library-writer"), ("life", "saver")):
        log = folder / "log"
        trace = ("-e", f"trace={','.join(WRITING)}", "-o", str(log))
        said = live(lives, fresh(folder / "home", kind), kind, thread, *trace)
        assert said["end"] and not said["failed"] and not said["bug"]
        counts = Counter(re.findall(r"^(\w+)\(", log.read_text(), re.MULTILINE))
        for call, count in counts.items():
            for number in range(1, count + 1):
                yield [Point(kind, thread, call, number, fault) for fault in faults(call, number)]


def faults(call: str, number: int) -> list[str]:
    """Death, and errors that pass and that stay."""
    errors = [error for error, calls in (("ENOSPC", FULL), ("EIO", FAILING)) if call in calls]
    stays = [f"error={error}:when={number}{plus}" for error in errors for plus in ("", "+")]
    return [f"signal=SIGKILL:when={number}", *stays]


def chosen(every_point: list[list[Point]], fault_count: int) -> list[Point]:
    """All of them from 50 on; below, every tenth call and fewer with one fault each, the faults taking turns."""
    if fault_count >= 50:
        return [point for points in every_point for point in points]
    some = every_point[:: max(1, 50 // fault_count)]
    return [points[number % len(points)] for number, points in enumerate(some)]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_every_point_leaves_before_or_after(tmp_path: Path, fault_count: int) -> None:
    wrong, tried = [], Counter[str]()
    with warm(tmp_path) as lives:
        for point in chosen(list(points(lives, tmp_path)), fault_count):
            home = fresh(tmp_path / "home", point.kind)
            inject = ("-e", f"trace={point.call}", "-e", f"inject={point.call}:{point.fault}", "-o", "/dev/null")
            said = live(lives, home, point.kind, point.thread, *inject)
            tried[point.fault.partition(":")[0]] += 1
            try:
                check(home, said)
            except Exception as error:  # noqa: BLE001  all the wrong points are told at once
                wrong.append(f"{point}: {type(error).__name__}: {error}")
    print(f"{dict(tried)} points, {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)
