"""The window at work, watched by an 8 ms timer. Prints the gaps between its ticks in ms, idle and busy, as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMainWindow, QPlainTextEdit, QPushButton, QSpinBox

from imagegen_desktop.ui.application import build

_TICK = 8


class Watch:
    """Collects the time between two ticks."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._gaps: list[float] = []
        self._timer = QTimer()
        self._timer.setInterval(_TICK)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self._gaps.append((now - self._last) * 1000)
        self._last = now

    def taken(self) -> list[float]:
        gaps, self._gaps = self._gaps, []
        return gaps


def until(application: QApplication, condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.001)


def main() -> None:
    os.environ["IMAGEGEN_DESKTOP_MODEL"] = sys.argv[1]
    application, window = build([])
    watch = Watch()
    generate = window.findChild(QPushButton, "generateButton")
    until(application, lambda: False, 0.5)
    watch.taken()
    window.findChild(QPlainTextEdit, "promptEdit").setPlainText("a fox in the snow")
    window.findChild(QSpinBox, "countSpin").setValue(4)
    generate.click()  # the engine still imports: that, loading and drawing are all in the busy time
    until(application, lambda: _images(window) >= 4, 180)
    busy = watch.taken()
    until(application, lambda: False, 3.0)
    idle = watch.taken()
    images = _images(window)
    window.close()
    print(json.dumps({"busy": busy, "idle": idle, "images": images}))


def _images(window: QMainWindow) -> int:
    view = window.findChild(QAbstractItemView, "galleryView")
    return view.model().rowCount()


if __name__ == "__main__":
    main()
