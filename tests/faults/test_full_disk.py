"""A disk that is full or cannot be written, for real: said exactly, nothing damaged, and on it goes with space."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import DiskProblem
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.services.announce import Announcement, Notice
from imagegen_desktop.services.assemble import Parts
from imagegen_desktop.storage import ballast
from tests.faults.lives import check_database
from tests.faults.mounted import memory, remount
from tests.faults.scripted import new_home, opened, wish

pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A home on a disk of three megabytes."""
    with memory(tmp_path / "disk", "3m") as disk:
        yield new_home(disk / "home")


def fill(folder: Path, leave: int) -> None:
    """Takes all the space there is but `leave` bytes."""
    filler = (folder / "filler").open("wb", buffering=0)
    with filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            filler.truncate(max(0, filler.tell() - leave))


def drive(parts: Parts, job: str, seconds: float = 30.0) -> None:
    """Works until the job is done; a hold for want of space ends by itself."""
    ends = time.monotonic() + seconds
    while parts.queue.get(job).state is not JobState.DONE:
        assert time.monotonic() < ends
        if not parts.runner.work_once():
            parts.runner.wait_for_work(0.1)


def check_all(parts: Parts) -> None:
    for image in parts.gallery.page(limit=1000):
        assert hashlib.sha256(parts.gallery.file(image).read_bytes()).hexdigest() == image.file_sha256
    rows = {image.path for image in parts.gallery.page(limit=1000)}
    files = {file.relative_to(parts.home.root).as_posix() for file in (parts.home.root / "images").rglob("*")}
    assert {file for file in files if "." in file} == rows, "half a file, or one nobody knows"


@pytest.mark.parametrize("leave", [0, 40_000, 100_000, 200_000])
def test_a_full_disk_is_said_exactly_and_the_queue_goes_on_with_space(small: Path, leave: int) -> None:
    parts = opened(small)
    said: list[Announcement] = []
    parts.announce.subscribe(said.append)
    try:
        parts.runner.work_once()
        jobs = [
            job.id for job in parts.queue.add_many([wish(str(n), width=256, height=256, count=2) for n in range(3)])
        ]
        fill(small, leave)
        while parts.runner.work_once():
            pass
        states = [parts.queue.get(job).state for job in jobs]
        assert JobState.FAILED not in states and JobState.QUEUED in states, "they wait for space"
        notices = [notice.text for notice in said if isinstance(notice, Notice)]
        assert len(notices) == 1, "said once, not for every job"
        assert re.search(
            rf"There is no space left in {small}\S*; [\d,]+ bytes are needed|The disk of {small} is full", notices[0]
        )
        check_all(parts)
        remount(small.parent, "size=64m")
        for job in jobs:
            drive(parts, job)
        assert {parts.queue.get(job).attempts for job in jobs} == {1}
        assert parts.gallery.count() == 6
        check_all(parts)
    finally:
        parts.close()
    check_database(small / "library.sqlite3")


def test_an_image_that_cannot_be_kept_leaves_no_gap_in_its_job(small: Path) -> None:
    """The first of three finds no space, then there is some again: all three are drawn, in order, once."""
    parts = opened(small)
    try:
        job = parts.queue.add(wish(width=256, height=256, count=3)).id
        fill(small, 100_000)
        parts.runner.work_once()
        assert parts.queue.get(job).images_done == parts.gallery.count() < 3
        (small / "filler").unlink()
        drive(parts, job)
        assert sorted(image.index for image in parts.gallery.page()) == [0, 1, 2]
        check_all(parts)
    finally:
        parts.close()


def test_deleting_works_on_a_full_disk(small: Path) -> None:
    parts = opened(small)
    try:
        parts.queue.add(wish())
        parts.runner.work_once()
        image = parts.gallery.page()[0]
        fill(small, 60_000)  # a row can be written, nothing else
        parts.gallery.delete([image.id])
        assert parts.gallery.count() == 0
        parts.gallery.restore([image.id])
        assert hashlib.sha256(parts.gallery.file(image).read_bytes()).hexdigest() == image.file_sha256
    finally:
        parts.close()


def test_what_was_kept_in_reserve_is_given_to_the_library_and_taken_again_with_space(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ballast, "BYTES", 500_000)
    monkeypatch.setattr(ballast, "LEAST_FREE", 1_000_000)
    reserve = small / "ballast"
    parts = opened(small)
    try:
        parts.begin()
        assert reserve.stat().st_size == 500_000
        parts.queue.add(wish())
        parts.runner.work_once()
        image = parts.gallery.page()[0]
        fill(small, 0)
        for rating in range(6):
            parts.gallery.rate([image.id], rating)
        parts.queue.add_many([wish(str(n), priority=n) for n in range(50)])
        parts.gallery.delete([image.id])
        assert (parts.gallery.count(), len(parts.queue.jobs())) == (0, 51)
        assert not reserve.exists()
        (small / "filler").unlink()
        parts.gallery.restore([image.id])
        assert reserve.stat().st_size == 500_000
    finally:
        parts.close()
    check_database(small / "library.sqlite3")


def test_a_full_disk_takes_the_reserve_to_start_at_all(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ballast, "BYTES", 500_000)
    monkeypatch.setattr(ballast, "LEAST_FREE", 1_000_000)
    parts = opened(small)
    parts.begin()
    parts.queue.add(wish())
    parts.runner.work_once()
    parts.close()
    fill(small, 0)
    parts = opened(small)
    try:
        assert not (small / "ballast").exists()
        assert parts.gallery.count() == 1
        parts.gallery.rate([parts.gallery.page()[0].id], 3)
    finally:
        parts.close()


def test_little_space_is_left_alone(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ballast, "LEAST_FREE", 2**30)
    parts = opened(small)
    parts.begin()
    parts.close()
    assert not (small / "ballast").exists()


def test_a_home_that_cannot_be_written_is_named(small: Path) -> None:
    parts = opened(small)
    parts.queue.add(wish())
    parts.runner.work_once()
    parts.close()
    before = {file: file.read_bytes() for file in small.rglob("*.png")}
    remount(small.parent, "ro")
    try:
        with pytest.raises(DiskProblem, match=re.escape(str(small))) as caught:
            opened(small)
        assert caught.value.advice
    finally:
        remount(small.parent, "rw")
    assert {file: file.read_bytes() for file in small.rglob("*.png")} == before
    parts = opened(small)
    try:
        check_all(parts)
    finally:
        parts.close()
