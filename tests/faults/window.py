"""The window while its engine dies again and again, watched by an 8 ms timer.

python -m tests.faults.window HOME DEATHS     prints JSON: deaths, images, the longest gaps in ms at work and idle
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import threading
from itertools import cycle, islice
from pathlib import Path

from PySide6.QtWidgets import QApplication

from imagegen_desktop.paths import Home
from imagegen_desktop.providers import engine_process
from imagegen_desktop.services.announce import Announcement, EngineChanged, ImagesChanged
from imagegen_desktop.services.assemble import assemble
from imagegen_desktop.ui.application import open_window
from tests.benchmarks.window_gaps import Watch, until
from tests.faults.scripted import new_home, wish
from tests.faults.test_engine_deaths import KINDS

FAKE = [sys.executable, str(Path(__file__).parent.parent / "fake_engine.py")]


def main() -> None:
    home, deaths = new_home(Path(sys.argv[1])), int(sys.argv[2])
    engine_process._QUICK_DEATH_SECONDS = 0.0  # here they die faster than any real one
    os.environ["FAKE_ENGINE_MARKS"] = tempfile.mkdtemp(dir=home)
    parts = assemble(Home(home), engine_command=FAKE)
    images: list[str] = []
    restarts = [0]

    def count(heard: Announcement) -> None:
        if isinstance(heard, ImagesChanged):
            images.extend(heard.added)
        if isinstance(heard, EngineChanged):
            restarts[0] = heard.status.restarts

    parts.announce.subscribe(count)
    application = QApplication(sys.argv[:1])
    window = open_window(application, parts)
    until(application, lambda: False, 2.0)
    gc.freeze()  # as the program does once its window is up: else looking for garbage among all it is made of is felt
    watch = Watch()
    prompts = [f"[die={kind}@2][once] {number}" for number, kind in enumerate(islice(cycle(KINDS), deaths))]
    requests = [wish(prompt, steps=4) for prompt in prompts]
    threading.Thread(target=lambda: parts.queue.add_many(requests)).start()  # as the window does, not on its thread
    until(application, lambda: len(images) == deaths, 60 + 3 * deaths)
    busy = watch.taken()
    until(application, lambda: False, 2.0)
    idle = watch.taken()
    assert window.isVisible()
    window.close()
    print(json.dumps({"deaths": restarts[0], "images": len(images), "busy": max(busy), "idle": max(idle)}))


if __name__ == "__main__":
    main()
