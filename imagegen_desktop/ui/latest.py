"""Latest: a question that is asked again and again, whose answers never overtake each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from ..domain.errors import Problem
from .bridge import Bridge, OnProblem


class Latest(QObject):
    """Asks one at a time. What is asked meanwhile waits, and only the last of it is asked."""

    def __init__(self, bridge: Bridge, on_problem: OnProblem | None = None) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._on_problem = on_problem or bridge.problem.emit
        self._busy = False
        self._next: tuple[Callable[[], Any], Callable[[Any], None]] | None = None

    def ask(self, call: Callable[[], Any], on_answer: Callable[[Any], None]) -> None:
        if self._busy:
            self._next = (call, on_answer)
            return
        self._busy = True
        self._bridge.ask(call, lambda answer: self._answered(answer, on_answer), self._failed)

    def _answered(self, answer: Any, on_answer: Callable[[Any], None]) -> None:
        self._go_on()
        on_answer(answer)

    def _failed(self, problem: Problem) -> None:
        self._go_on()
        self._on_problem(problem)

    def _go_on(self) -> None:
        self._busy = False
        waiting, self._next = self._next, None
        if waiting is not None:
            self.ask(*waiting)
