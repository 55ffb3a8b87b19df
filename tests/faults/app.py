"""A busy application without a face, to be killed: draws, edits its queue, and prints what it promised.

python tests/faults/app.py HOME SEED     lines: `open` (the queue is there), `engine PID`, `job ID` (accepted),
`image ID PATH SHA256` (finished), `begun JOB INDEX STEP` (drawing goes on after that step), `edit JOB` (it may change)
"""

from __future__ import annotations

import itertools
import random
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from imagegen_desktop.domain.errors import Problem
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.protocol.messages import Started
from imagegen_desktop.services.announce import Announcement, ImagesChanged, JobEvent
from imagegen_desktop.services.assemble import Parts, assemble

FAKE = [sys.executable, str(Path(__file__).parent.parent / "fake_engine.py")]


def main() -> None:
    parts = assemble(Home(Path(sys.argv[1])), engine_command=FAKE)
    parts.settings.set("snapshot_seconds", 0)  # after every step
    parts.announce.subscribe(lambda heard: tell(parts, heard))
    parts.recover()
    parts.queue.jobs()
    say("open")
    parts.housekeeping.tidy(datetime.now(UTC))
    for _ in range(2):
        threading.Thread(target=work, args=(parts,), daemon=True).start()
    edit_forever(parts, random.Random(sys.argv[2]))


def say(*words: object) -> None:
    """One write a line, so that a kill never leaves half of one."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def tell(parts: Parts, heard: Announcement) -> None:
    if isinstance(heard, JobEvent) and isinstance(heard.event, Started):
        say("begun", heard.job, heard.event.index, heard.event.step)
    if isinstance(heard, ImagesChanged):
        for name in heard.added:
            image = parts.gallery.get(name)
            say("image", image.id, image.path, image.file_sha256)


def work(parts: Parts) -> None:
    while True:
        if not parts.runner.work_once():
            parts.runner.wait_for_work(0.05)


def edit_forever(parts: Parts, chance: random.Random) -> None:
    """Adds jobs, moves, edits, cancels and retries others; keeps about a dozen waiting."""
    for number in itertools.count():
        waiting = [job.id for job in parts.queue.jobs(finished=0)]
        if len(waiting) < 12:
            request = GenerationRequest(
                prompt=f"[slow=0.02]fox {number}",
                model="paper",
                width=64,
                height=64,
                steps=8,
                count=chance.randint(1, 3),
            )
            say("job", parts.queue.add(request).id)
        one = chance.choice(waiting) if waiting else ""
        try:
            if number % 5 == 1 and one:
                parts.queue_edits.move(one, chance.randrange(12))
            elif number % 5 == 2 and one:
                say("edit", one)
                parts.queue_edits.edit([one], negative_prompt=f"blurry {number}")
            elif number % 5 == 3 and one:
                parts.queue.cancel([one])
            elif number % 50 == 4:
                parts.housekeeping.back_up(datetime.now(UTC))
        except Problem:
            pass  # it ran or ended meanwhile: a clear answer, and nothing changed
        if pid := parts.engines.first.process_id():
            say("engine", pid)
        threading.Event().wait(chance.uniform(0.0, 0.02))


if __name__ == "__main__":
    main()
