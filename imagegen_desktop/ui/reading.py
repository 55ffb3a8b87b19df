"""Reading: how long the prompt is and which of its names nobody knows, shown a moment after it was typed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from ..domain.errors import BadInput
from ..domain.request import GenerationRequest
from ..services.reading import Reader, Reading
from .bridge import Bridge
from .latest import Latest
from .main_window import MainWindow


class PromptReading(QObject):
    def __init__(
        self, window: MainWindow, reader: Reader, bridge: Bridge, request: Callable[[], GenerationRequest]
    ) -> None:
        super().__init__(window)
        self._words = window.panes.prompt.words
        self._reader = reader
        self._request = request
        self._readings = Latest(bridge, lambda problem: self._words.show_reading(Reading()))

    def look(self) -> None:
        try:
            request = self._request()
        except BadInput:
            return
        self._readings.ask(lambda: self._reader.read(request), self._words.show_reading)
