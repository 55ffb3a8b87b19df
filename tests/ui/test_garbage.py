"""Garbage of the window is destroyed in the window's thread."""

from __future__ import annotations

import gc
import threading

from PySide6.QtCore import QObject

from tests.ui.conftest import Studio


class Cyclic(QObject):
    """Keeps itself alive until somebody looks for garbage, and tells in which thread that was."""

    def __init__(self, died_in: list[threading.Thread]) -> None:
        super().__init__()
        self._itself = self
        self._died_in = died_in

    def __del__(self) -> None:
        self._died_in.append(threading.current_thread())


def test_a_qt_object_dies_in_the_gui_thread_whoever_makes_garbage(studio: Studio) -> None:
    died_in: list[threading.Thread] = []
    Cyclic(died_in)
    made: list[list[list[int]]] = []
    maker = threading.Thread(target=lambda: made.extend([[number]] for number in range(400_000)))
    maker.start()
    maker.join()
    assert died_in == []
    studio.until(lambda: bool(died_in))
    assert died_in == [threading.main_thread()]
    studio.window.close()
    assert gc.isenabled()
