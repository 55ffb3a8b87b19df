"""One short life of the program, told step by step to whoever listens, so that it can be broken at any system call.

python tests/faults/one_life.py     each line `HOME DOOR KIND` on stdin is a life, in a child forked while still warm

The child connects to the socket DOOR and says what it did, one line each: `did STEP WORDS` (it was acknowledged),
`failed STEP KIND MESSAGE` (a Problem was raised, as it should be), `bug STEP TEXT` (anything else), `end`. After
`thread NAME ID` it waits for a line, so that a tracer can be put on that thread. KIND `opening` ends after the home
was opened.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from imagegen_desktop.domain.errors import Problem
from imagegen_desktop.services.announce import Announcement, ImagesChanged
from imagegen_desktop.services.assemble import Parts
from imagegen_desktop.storage.durable import write_durably
from tests.faults.scripted import opened, wish

OLD, NEW = b"1" * 30_000, b"2" * 50_000
_PR_SET_PTRACER, _ANYBODY = 0x59616D61, ctypes.c_ulong(-1)


class Teller:
    """Says what happens through a socket, whose system calls are none of those that are made to fail."""

    def __init__(self, door: str) -> None:
        self._door = socket.socket(socket.AF_UNIX)
        self._door.connect(door)

    def say(self, *words: object) -> None:
        self._door.sendall((" ".join(map(str, words)).replace("\n", " ") + "\n").encode())

    def wait_on(self, thread: str, number: int | None) -> None:
        self.say("thread", thread, number)
        self._door.recv(1)

    def step(self, name: str, act: Callable[[], object]) -> None:
        """Does a step; its answer are the words of the acknowledgement."""
        try:
            self.say("did", name, act() or "")
        except Problem as problem:
            self.say("failed", name, problem.kind, problem.message)
        except Exception as error:  # noqa: BLE001  said, so that the test can fail on it
            self.say("bug", name, repr(error))


def live(home: Path, door: str, kind: str) -> None:
    teller = Teller(door)
    threading.excepthook = lambda args: teller.say("bug", "thread", repr(args.exc_value))
    teller.wait_on("main", threading.get_native_id())
    found: list[Parts] = []
    teller.step("open", lambda: found.append(opened(home)))
    if found and kind == "life":
        act_out(found[0], teller)
    for parts in found:
        teller.step("close", parts.close)
    teller.say("end")


def act_out(parts: Parts, teller: Teller) -> None:
    image, first, second, third = "", "", "", ""
    parts.announce.subscribe(lambda heard: _tell_images(parts, teller, heard))

    def prepare() -> None:
        nonlocal image
        parts.settings.set("theme", "light")
        write_durably(_snapshot(parts), OLD)
        parts.queue.resume_all()
        parts.queue.add(wish("the first", priority=1))
        parts.runner.work_once()
        image = parts.gallery.page()[0].id

    teller.step("prepare", prepare)
    for thread in threading.enumerate():  # the writer of the database, and the saver, born with the first image
        if thread.name.startswith(("library-writer", "saver")):
            teller.wait_on(thread.name, thread.native_id)

    def enqueue() -> str:
        nonlocal first, second, third
        first, second, third = (job.id for job in parts.queue.add_many([wish("a"), wish("b", seed=6), wish("c")]))
        return f"{first} {second} {third}"

    teller.step("enqueue", enqueue)
    teller.step("reorder", lambda: parts.queue_edits.move(second, 0))
    teller.step("cancel", lambda: parts.queue.cancel([third]))
    teller.step("draw", parts.runner.work_once)
    teller.step("snapshot", lambda: write_durably(_snapshot(parts), NEW, overwrite=True))
    teller.step("settings", lambda: parts.settings.set("theme", "dark"))
    teller.step("backup", lambda: parts.housekeeping.back_up(datetime.now(UTC)))
    teller.step("bin", lambda: parts.gallery.delete([image]))
    teller.step("restore", lambda: parts.gallery.restore([image]))


def _snapshot(parts: Parts) -> Path:
    return parts.home.snapshots / "a.safetensors"


def _tell_images(parts: Parts, teller: Teller, heard: Announcement) -> None:
    if isinstance(heard, ImagesChanged):
        for name in heard.added:
            image = parts.gallery.get(name)
            teller.say("image", image.id, image.path, image.file_sha256)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            with suppress(OSError):  # where only ancestors may trace
                ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
            home, door, kind = line.split()
            live(Path(home), door, kind)
            os._exit(0)


if __name__ == "__main__":
    main()
