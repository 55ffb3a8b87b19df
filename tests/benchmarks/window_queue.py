"""The window with many jobs, watched by an 8 ms timer: started with them, one moved, pictures drawn, all cancelled.

Prints the longest gap between two ticks in ms of each, and of doing nothing, as JSON. How many jobs is an argument."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QApplication

from imagegen_desktop.domain.job import WAITING
from imagegen_desktop.paths import Home
from imagegen_desktop.providers.base import Assignment, ProviderEvent
from imagegen_desktop.services.announce import ImagesChanged
from imagegen_desktop.services.assemble import assemble
from imagegen_desktop.ui.application import open_window
from tests.benchmarks.window_gaps import Watch, until
from tests.faults.scripted import ScriptedProvider, new_home, wish

MANY = 10_000
_STEP_SECONDS = 0.02


class Steady(ScriptedProvider):
    """Seven pictures a second."""

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        for event in super().run(assignment):
            time.sleep(_STEP_SECONDS)
            yield event


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    home = new_home(Path(os.environ["IMAGEGEN_DESKTOP_HOME"]))
    parts = assemble(Home(home), providers={"local": Steady()}, engine=False)
    parts.queue.pause_all()
    jobs = [job.id for job in parts.queue.add_many([wish(f"a fox, number {n}", seed=n) for n in range(many)])]
    application = QApplication(sys.argv[:1])
    window = open_window(application, parts)
    window.resize(1440, 900)
    gc.freeze()
    watch, pane = Watch(), window.panes.queue
    gaps: dict[str, float] = {}
    drawn: list[object] = []
    parts.announce.subscribe(lambda heard: drawn.append(heard) if isinstance(heard, ImagesChanged) else None)

    def settled(seconds: float) -> None:
        until(application, lambda: False, seconds)

    def measure(name: str, seconds: float = 1.5) -> None:
        settled(seconds)
        gaps[name] = max(watch.taken())

    until(application, lambda: len(pane.jobs()) == many, 30)
    settled(1.0)
    gaps["showing"] = max(watch.taken())
    measure("idle", 2.0)
    pane.move_requested.emit(jobs[-1], 0)
    until(application, lambda: pane.jobs()[0].id == jobs[-1], 30)
    measure("moving")
    pane.pause_all_requested.emit(False)
    until(application, lambda: len(drawn) >= 20, 30)
    pane.pause_all_requested.emit(True)
    measure("drawing")
    pane.cancel_requested.emit([job.id for job in pane.jobs() if job.state in WAITING])
    until(application, lambda: not any(job.state in WAITING for job in pane.jobs()), 30)
    measure("cancelling all")
    window.close()
    print(json.dumps(gaps))


if __name__ == "__main__":
    main()
