"""Starts lives of `one_life.py`, hears what they say, and holds it against what they leave behind."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import apsw

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.services.assemble import Parts
from tests.faults.one_life import NEW, OLD
from tests.faults.scripted import opened, wish

ROOT = Path(__file__).parent.parent.parent
SECONDS = 60.0
Said: TypeAlias = dict[str, list[list[str]]]
OnThread: TypeAlias = Callable[[str, int], object]


class Lives:
    """A warm process that forks one life after another."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.faults.one_life"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, env=environment, text=True)

    def live(self, home: Path, kind: str = "life", on_thread: OnThread = lambda name, number: None) -> Said:
        """Lets one life run to its end, however it ends; what it said, by the first word."""
        said: Said = defaultdict(list)
        for word, *rest in self.hear(home, kind, on_thread):
            said[word].append(rest)
        return said

    def hear(self, home: Path, kind: str, on_thread: OnThread) -> Iterator[list[str]]:
        """The lines of one life, split into words, until it is over."""
        self._count += 1
        door = self._folder / f"door{self._count}"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(door))
            listening.listen()
            listening.settimeout(SECONDS)
            assert self._process.stdin is not None
            print(home, door, kind, file=self._process.stdin, flush=True)
            teller, _ = listening.accept()
        with teller, teller.makefile("r") as lines:
            teller.settimeout(SECONDS)
            with suppress(ConnectionError):  # killed before it read what we sent
                for line in lines:
                    words = line.split()
                    if words[0] == "thread":
                        on_thread(words[1], int(words[2]))
                        teller.send(b"g")
                    yield words

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def warm(folder: Path) -> Iterator[Lives]:
    """Lives whose doors are in `folder`."""
    lives = Lives(folder)
    try:
        yield lives
    finally:
        lives.close()


def check(home: Path, said: Said) -> None:
    """Whatever was acknowledged is there, nothing stands in between, and the next start works."""
    assert not said["bug"], said["bug"]
    parts = opened(home)
    try:
        parts.recover()
        _check_files(home)  # before anything is tidied: nobody may ever see half a file under its final name
        parts.housekeeping.tidy(datetime.now(UTC))
        steps = {step: words for step, *words in said["did"]}
        _check_images(parts, said)  # brings what was binned back
        _check_jobs(parts, steps)
        _check_keepsakes(parts, steps)
        _check_that_it_works(parts)
    finally:
        parts.close()
    check_database(home / "library.sqlite3")


def check_database(path: Path) -> None:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        assert connection.pragma("integrity_check") == "ok"
    finally:
        connection.close()


def _check_files(home: Path) -> None:
    for image in (home / "images").rglob("*.png"):
        assert image.read_bytes().endswith(b"IEND\xaeB`\x82"), f"half a file: {image.name}"
    for backup in (home / "backups").glob("library-*.sqlite3"):
        check_database(backup)
    assert not list(home.glob("settings.toml.broken"))


def _check_jobs(parts: Parts, steps: dict[str, list[str]]) -> None:
    jobs = {job.request.prompt: job for job in parts.queue.jobs()}
    three = [jobs[prompt] for prompt in "abc" if prompt in jobs]
    assert len(three) in ((3,) if "enqueue" in steps else (0, 3)), "all of them were accepted, or none"
    assert not {JobState.LEASED, JobState.RUNNING, JobState.SAVING} & {job.state for job in jobs.values()}
    if len(three) == 3:
        first, second, third = three
        assert (third.state is JobState.CANCELLED) or "cancel" not in steps
        if "reorder" in steps:
            assert second.position < first.position
    made = [(image.job, image.index) for image in parts.gallery.page(limit=1000)]
    assert len(made) == len(set(made)), "an image twice"
    for job in jobs.values():
        drawn = [index for name, index in made if name == job.id]
        assert len(drawn) == 1 if job.state is JobState.DONE else len(drawn) == job.images_done


def _check_images(parts: Parts, said: Said) -> None:
    for image, path, sha256 in said["image"]:
        found = parts.gallery.get(image)
        assert found.file_sha256 == sha256
        if found.deleted:
            parts.gallery.restore([image])
        assert hashlib.sha256((parts.home.root / path).read_bytes()).hexdigest() == sha256
    for image in parts.gallery.page(limit=1000):
        if not image.missing:
            assert hashlib.sha256(parts.gallery.file(image).read_bytes()).hexdigest() == image.file_sha256


def _check_keepsakes(parts: Parts, steps: dict[str, list[str]]) -> None:
    """The file, the setting and the backup are as before or as after."""
    snapshot = parts.home.snapshots / "a.safetensors"
    themes, contents = ["system", "light", "dark"], [None, OLD, NEW]
    if "prepare" in steps:
        themes, contents = themes[1:], contents[1:]
    assert (snapshot.read_bytes() if snapshot.exists() else None) in (
        contents[-1:] if "snapshot" in steps else contents
    )
    assert parts.settings.text("theme") in (themes[-1:] if "settings" in steps else themes)
    if steps.get("backup"):
        check_database(Path(steps["backup"][0]))


def _check_that_it_works(parts: Parts) -> None:
    parts.queue.resume_all()
    job = parts.queue.add(wish("after all", priority=1000))
    assert parts.runner.work_once()
    assert parts.queue.get(job.id).state is JobState.DONE
