"""A polite end: when the system or a terminal asks the program to stop, the window closes as by hand."""

from __future__ import annotations

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtWidgets import QWidget

_ASKS_TO_STOP = (signal.SIGINT, signal.SIGTERM)


class PoliteEnd(QObject):
    """Signals reach Python only while it runs; their numbers wake Qt's loop through a socket."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._heard, self._told = socket.socketpair()
        for end in (self._heard, self._told):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._heard.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._close)
        self._wakeup = signal.set_wakeup_fd(self._told.fileno())
        self._before = {number: signal.signal(number, lambda *_: None) for number in _ASKS_TO_STOP}

    def remove(self) -> None:
        """As it was before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._heard.close()
        self._told.close()

    def _close(self) -> None:
        self._heard.recv(64)
        self._window.close()
