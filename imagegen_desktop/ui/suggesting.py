"""Suggesting: a better prompt, asked for in the pool and shown as it is written."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from ..domain.errors import BadInput, Problem
from ..domain.request import GenerationRequest
from ..services.enhance import Enhancer, Suggestion
from .bridge import Bridge
from .main_window import MainWindow


class Suggesting(QObject):
    """One suggestion at a time: whatever an earlier wish still brings is not shown."""

    _written = Signal(int, str)

    def __init__(
        self, window: MainWindow, enhancer: Enhancer, bridge: Bridge, request: Callable[[], GenerationRequest]
    ) -> None:
        super().__init__(window)
        self._prompt = window.panes.prompt
        self._enhancer = enhancer
        self._bridge = bridge
        self._request = request
        self._wish = 0
        self._written.connect(self._show_text, Qt.ConnectionType.QueuedConnection)

    def ask(self) -> None:
        self._prompt.messages.clear()
        try:
            request = self._request()
        except BadInput as problem:
            self._refuse(self._wish, problem)
            return
        if not request.prompt.strip():
            return
        self._wish += 1
        wish = self._wish
        self._prompt.suggestion.show_writing()
        self._prompt.show_writing(True)
        self._bridge.ask(
            lambda: self._enhancer.suggest(request, lambda text: self._written.emit(wish, text)),
            lambda suggestion: self._show(wish, suggestion),
            lambda problem: self._refuse(wish, problem),
        )

    def cancel(self) -> None:
        """What is being written ends at once; what was written is left."""
        self._wish += 1
        self._enhancer.cancel()
        self._prompt.suggestion.show_nothing()
        self._prompt.show_writing(False)

    def dismiss(self) -> None:
        self.cancel()
        self._prompt.focus_prompt()

    def _show_text(self, wish: int, text: str) -> None:
        if wish == self._wish:
            self._prompt.suggestion.show_text(text)

    def _show(self, wish: int, suggestion: Suggestion | None) -> None:
        if wish != self._wish:
            return
        self._prompt.show_writing(False)
        if suggestion is None:
            self._prompt.suggestion.show_nothing()
        else:
            self._prompt.suggestion.show_suggestion(suggestion)

    def _refuse(self, wish: int, problem: Problem) -> None:
        if wish == self._wish:
            self._prompt.suggestion.show_nothing()
            self._prompt.show_writing(False)
            self._prompt.messages.show_message("error", problem.message, problem.advice)
