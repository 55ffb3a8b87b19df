"""Minding: how the chosen provider is, said in place with the remedy."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from ..domain.errors import BadInput, DiskProblem, KeyRefused, Problem, SpendingLimit
from ..services.assemble import Parts
from ..services.provider_health import ProviderHealth
from .bridge import Bridge
from .latest import Latest
from .main_window import MainWindow

_AGAIN_MS = 5000


class Minding(QObject):
    """While a provider waits it is looked at again and again, since its waiting ends by itself."""

    keys_wanted = Signal()
    limit_wanted = Signal()

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge) -> None:
        super().__init__(window)
        self._bar = window.top_bar
        self._said = window.panes.prompt.health
        self._desk = parts.desk
        self._bridge = bridge
        self._list = Latest(bridge)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self.look)
        self._told: tuple[str, str, str] = ("", "", "")

    def look(self) -> None:
        self._list.ask(self._desk.all, self._show)

    def _show(self, healths: list[ProviderHealth]) -> None:
        health = next((one for one in healths if one.name == self._bar.provider()), None)
        if health is None or health.state == "ready":
            self._told = ("", "", "")
            self._said.clear()
            return
        self._again.start()
        said = health.problem.message if health.problem else ""
        if (health.name, health.state, said) != self._told:
            self._told = (health.name, health.state, said)
            self._tell(health)

    def _tell(self, health: ProviderHealth) -> None:
        title, problem = self.tr(health.capabilities.title), health.problem
        keys = (self.tr("Enter a key…"), self.keys_wanted.emit)
        if problem is None:
            self._said.show_message("warning", self.tr("{0} needs a key.").format(title), "", keys)
            return
        again = (self.tr("Try again"), lambda: self._knock(health.name))
        limit = (self.tr("Change the limit…"), self.limit_wanted.emit)
        remedy = keys if isinstance(problem, KeyRefused) else limit if isinstance(problem, SpendingLimit) else again
        words = self.tr("{0} waits: {1}").format(title, problem.message)
        self._said.show_message("warning", words, problem.advice, None if isinstance(problem, DiskProblem) else remedy)

    def _knock(self, name: str) -> None:
        self._told = ("", "", "")
        self._bridge.ask(lambda: self._desk.check(name), lambda _: self.look(), self._knocked_in_vain)

    def _knocked_in_vain(self, problem: Problem) -> None:
        if isinstance(problem, BadInput):
            self.look()
        else:
            self._said.show_message("warning", problem.message, problem.advice)
            self._again.start()
