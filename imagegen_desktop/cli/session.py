"""A call's own program: the parts for one home, opened and closed, and what Ctrl-C means meanwhile."""

from __future__ import annotations

import gc
import getpass
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .. import logs
from ..credentials import PASSPHRASE_VARIABLE
from ..paths import home
from ..services.assemble import Parts, assemble
from . import output


@contextmanager
def parts(engine: bool = False) -> Iterator[Parts]:
    """The parts on the home of this call. What a dead process left behind waits again before anything is done."""
    place = home().prepare()
    logs.set_up(place.logs)
    made = assemble(place, engine=engine)
    if sys.stdin.isatty() and not os.environ.get(PASSPHRASE_VARIABLE):
        made.keys.ask_passphrase = lambda: getpass.getpass("Passphrase for the file with your keys: ")
    gc.freeze()  # what is there now stays: the collector need not look at it again with every thousand jobs
    try:
        _put_right(made)
        made.recover()
        yield made
    finally:
        made.close()


def _put_right(made: Parts) -> None:
    bar = output.ProgressBar()
    done = made.putting_right.finish(lambda done, total: bar.show("Putting the library right", done, total))
    bar.clear()
    if done is not None:
        output.warn(f"imagegen-desktop: {done.text} {done.advice}".rstrip())


@contextmanager
def pausing_when_interrupted(made: Parts, pause: Callable[[], object] | None = None) -> Iterator[threading.Event]:
    """While open, Ctrl-C and SIGTERM pause what runs (jobs, or whatever `pause` pauses), resumably; the answer is
    set when that was asked."""
    pause = pause or made.runner.stop
    asked = threading.Event()
    over = threading.Event()

    def wait() -> None:
        asked.wait()
        if not over.is_set():
            pause()

    # A signal handler may interrupt any line, also one that holds a lock: it only sets a flag.
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    waiter = threading.Thread(target=wait, name="interrupt", daemon=True)
    waiter.start()
    try:
        yield asked
    finally:
        was_asked = asked.is_set()
        over.set()
        asked.set()
        waiter.join()
        if not was_asked:
            asked.clear()
        for number, handler in before.items():
            signal.signal(number, handler)
