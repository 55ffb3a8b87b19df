"""Downloads that are paused, cancelled, killed or out of room: what is there is kept, and nothing half is shown."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen_desktop.domain.download import DownloadState
from imagegen_desktop.domain.errors import Problem
from imagegen_desktop.services.downloads import HIDDEN
from imagegen_desktop.storage.durable import PART
from tests.fake_hub import FakeHub, pipeline_files
from tests.faults.mounted import memory
from tests.services.downloading import ID, Bench

ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def held(bench: Bench) -> tuple[str, Callable[[], None]]:
    """A download that stands still in the middle of its largest file; the answer lets it flow."""
    gate = bench.hub.gate("flowing")
    bench.hub.longest = 65_536
    key = bench.downloads.start(bench.downloads.look(ID)).key
    assert gate.reached.wait(10)
    until(lambda: Bench(bench.hub, bench.root).downloads.all()[0].received > 50_000)
    return key, gate.opened.set


def test_paused_it_goes_on_after_a_restart(bench: Bench) -> None:
    key, flow = held(bench)
    assert bench.visible() == []
    bench.downloads.pause(key)
    assert bench.downloads.wait(key).state is DownloadState.PAUSED
    flow()
    bench.downloads.close()
    later = Bench(bench.hub, bench.root)
    later.downloads.begin()
    (waiting,) = later.downloads.all()
    assert (waiting.state, waiting.id) == (DownloadState.PAUSED, ID) and 0 < waiting.received < waiting.size
    assert later.downloads.wait(later.downloads.resume(key).key).state is DownloadState.DONE
    later.check_whole()


def test_what_ran_at_the_end_goes_on_by_itself(bench: Bench) -> None:
    key, flow = held(bench)
    bench.downloads.close()
    flow()
    later = Bench(bench.hub, bench.root)
    later.downloads.begin()
    assert later.downloads.wait(key).state is DownloadState.DONE
    later.check_whole()


def test_cancelled_nothing_is_left(bench: Bench) -> None:
    key, flow = held(bench)
    bench.downloads.cancel(key)
    assert bench.downloads.wait(key).state is DownloadState.CANCELLED
    flow()
    assert list((bench.root / HIDDEN).iterdir()) == [] and bench.visible() == []
    assert bench.downloads.all() == []


def test_cancelling_what_is_just_being_paused_cancels_it(bench: Bench) -> None:
    key, flow = held(bench)
    bench.downloads.pause(key)
    bench.downloads.cancel(key)
    assert bench.downloads.wait(key).state is DownloadState.CANCELLED
    flow()
    assert list((bench.root / HIDDEN).iterdir()) == []


def test_asked_for_twice_it_is_fetched_once_and_can_be_paused(bench: Bench) -> None:
    key, flow = held(bench)
    assert bench.downloads.start(bench.downloads.look(ID)).state is DownloadState.RUNNING
    bench.downloads.pause(key)
    assert bench.downloads.wait(key).state is DownloadState.PAUSED
    flow()
    assert bench.get().state is DownloadState.DONE
    bench.check_whole()


def test_a_file_is_not_closed_while_the_disk_is_at_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be somebody else's file a moment later: nothing is done with it any more."""
    gate = bench.hub.gate("flowing")
    bench.hub.longest = 65_536
    at_work, others_closed = threading.Event(), threading.Event()
    first = threading.Lock()  # several files come at once: the first one's thread holds it for good
    before: list[int] = []
    after: list[int] = []
    fsync, close = os.fsync, os.close

    def is_a_part(descriptor: int) -> bool:
        parts = set()
        for part in bench.root.glob(f"{HIDDEN}/*/files/**/*{PART}"):
            with contextlib.suppress(FileNotFoundError):  # it is whole since, and has its own name
                parts.add(part.stat().st_ino)
        return os.fstat(descriptor).st_ino in parts

    def slow_fsync(descriptor: int) -> None:
        if is_a_part(descriptor) and first.acquire(blocking=False):
            before.append(os.fstat(descriptor).st_ino)
            at_work.set()
            others_closed.wait(10)
            after.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def told_close(descriptor: int) -> None:
        close(descriptor)
        if at_work.is_set() and threading.current_thread().name == "download":
            others_closed.set()

    monkeypatch.setattr(os, "fsync", slow_fsync)
    monkeypatch.setattr(os, "close", told_close)
    key = bench.downloads.start(bench.downloads.look(ID)).key
    assert gate.reached.wait(10) and at_work.wait(10)
    bench.downloads.pause(key)
    assert bench.downloads.wait(key).state is DownloadState.PAUSED
    assert after == before
    gate.opened.set()
    assert bench.downloads.wait(bench.downloads.resume(key).key).state is DownloadState.DONE
    bench.check_whole()


def test_a_newer_commit_keeps_what_is_the_same(bench: Bench) -> None:
    key, flow = held(bench)
    bench.downloads.pause(key)
    bench.downloads.wait(key)
    flow()
    files = bench.hub.repositories[ID].files
    bench.hub.add(ID, files | {"README.md": b"# Better words\n"})
    bench.get()
    bench.check_whole()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../../evil"},
        {"name": "a/b"},
        {"files": [{"path": "../../evil", "size": 1, "sha256": "a" * 64, "blob": ""}]},
        {"files": [{"path": "x", "size": -1, "sha256": "a" * 64, "blob": ""}]},
        {"files": [{"path": "x", "size": 1, "sha256": "", "blob": ""}]},
        {"files": "x"},
        {"model": None},
        {"state": "flying"},
        {"etags": ["x"]},
        {"error": "x"},
    ],
    ids=str,
)
def test_a_journal_that_is_not_ours_is_not_followed(bench: Bench, wrong: dict[str, object]) -> None:
    key, flow = held(bench)
    bench.downloads.pause(key)
    bench.downloads.wait(key)
    flow()
    journal = bench.root / HIDDEN / key / "download.json"
    journal.write_text(json.dumps(json.loads(journal.read_text()) | wrong))
    later = Bench(bench.hub, bench.root)
    later.downloads.begin()
    assert later.downloads.all() == []
    assert later.get().state is DownloadState.DONE
    later.check_whole()


def test_two_processes_do_not_fetch_the_same(bench: Bench) -> None:
    _, flow = held(bench)
    other = Bench(bench.hub, bench.root)
    refused = other.get()
    assert refused.error is not None and "another window" in refused.error["message"]
    flow()


def test_no_room_is_said_before_anything_is_fetched(hub: FakeHub, tmp_path: Path) -> None:
    with memory(tmp_path / "small", "2m") as disk:
        bench = Bench(hub, disk / "models")
        with pytest.raises(Problem, match=r"needs [\d,]+ bytes; [\d,]+ are free"):
            bench.downloads.start(bench.downloads.look(ID))
        assert hub.sent == 0


PROGRAM = """
import resource, sys
from pathlib import Path
from imagegen_desktop.providers.cloud import Surroundings
from imagegen_desktop.providers.hub import Hub
from imagegen_desktop.services.announce import Announcer
from imagegen_desktop.services.downloads import ModelDownloads
root, origin, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
root.mkdir(exist_ok=True)
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
hub = Hub(Surroundings(key=lambda name: "", endpoint=lambda name: origin))
downloads = ModelDownloads(lambda: hub, root, Announcer(), lambda: None, lambda: False, 0.001)
ended = downloads.wait(downloads.start(downloads.look(sys.argv[4])).key)
print(ended.state, (ended.error or {}).get("message", ""))
"""


def program(bench: Bench, most: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(bench.root), bench.hub.origin, str(most), ID]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="the limit that stands in for a full disk is POSIX's")
def test_a_disk_that_fills_up_in_the_middle(bench: Bench) -> None:
    full = program(bench, most=120_000)
    said, _ = full.communicate(timeout=60)
    assert "failed There is no space left" in said
    assert bench.visible() == []
    assert bench.downloads.all()[0].received >= 120_000
    assert bench.get().state is DownloadState.DONE
    bench.check_whole()
    assert bench.hub.sent - bench.needed <= 1.1 * bench.needed


def test_killed_anywhere_it_is_whole_in_the_end(hub: FakeHub, tmp_path: Path, faults: int) -> None:
    chance = random.Random(10)
    for number in range(max(2, faults // 2)):
        hub.reset()
        hub.add(ID, pipeline_files(400_000, seed=number))
        hub.longest = chance.randrange(1, 400_000)
        gate = hub.gate("flowing")
        gate.reached.clear()
        gate.opened.clear()
        bench = Bench(hub, tmp_path / f"models-{number}")
        running = program(bench)
        assert gate.reached.wait(30)
        running.kill()
        running.communicate()
        assert bench.visible() == []
        gate.opened.set()
        hub.longest = 1 << 60
        assert bench.get().state is DownloadState.DONE
        bench.check_whole()
        assert hub.sent - bench.needed <= 1.1 * bench.needed
