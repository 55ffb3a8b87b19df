"""Queueing: what the artist wishes of the queue, and whether it stands still."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from ..domain.errors import Problem
from ..services.queue import Queue
from .bridge import Bridge
from .main_window import MainWindow


class Queueing(QObject):
    def __init__(self, window: MainWindow, queue: Queue, bridge: Bridge) -> None:
        super().__init__(window)
        self._window = window
        self._pane = window.panes.queue
        self._queue = queue
        self._bridge = bridge

    def load(self) -> None:
        self._bridge.ask(lambda: self._queue.paused, self.show_paused)

    def show_paused(self, paused: bool) -> None:
        self._pane.show_paused(paused)
        action = self._window.actions_["pauseQueue"]
        action.setText(self.tr("Go on with the queue") if paused else self.tr("Pause the queue"))

    def pause_all(self, pause: bool) -> None:
        self.do(self._queue.pause_all if pause else self._queue.resume_all)

    def toggle_pause(self) -> None:
        self._bridge.ask(lambda: self._queue.paused, lambda paused: self.pause_all(not paused))

    def do(self, deed: Callable[..., object], *values: object) -> None:
        """Something the artist wished of the queue; what went wrong is said above it."""
        self._bridge.ask(lambda: deed(*values), None, self._say)

    def _say(self, problem: Problem) -> None:
        self._pane.messages.show_message("error", problem.message, problem.advice)
