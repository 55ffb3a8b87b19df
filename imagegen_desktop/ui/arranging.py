"""Arranging: undo, settings, command palette, the engine's health, and the window's own layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from shiboken6 import isValid

from .. import __version__
from ..domain.engine_status import EngineStatus
from ..domain.errors import Problem
from ..services.announce import Notice
from ..services.assemble import Parts
from ..settings import SETTINGS
from .bridge import Bridge
from .main_window import MainWindow
from .theme import Theme

if TYPE_CHECKING:
    from .dialogs.settings import SettingsDialog


class Arranging(QObject):
    """Dialogs are imported when they are opened."""

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge, theme: Theme) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._bridge = bridge
        self._theme = theme
        self._stage = window.panes.stage

    def load(self) -> None:
        self._bridge.ask(self._parts.undo.labels, lambda labels: self._window.actions_.show_undo(*labels))
        self._bridge.ask(self._parts.engines.statuses, self._show_engines)

    def undo(self) -> None:
        self._bridge.ask(self._parts.undo.undo, None, self.say, in_turn=True)

    def redo(self) -> None:
        self._bridge.ask(self._parts.undo.redo, None, self.say, in_turn=True)

    def show_settings(self) -> SettingsDialog:
        from .dialogs.settings import SettingsDialog
        from .keeping import Keeping

        dialog = SettingsDialog(SETTINGS, self._parts.settings.all(), self._window)
        keeping = Keeping(dialog.keys, self._parts, self._bridge)
        dialog.finished.connect(keeping.close)
        keeping.load()
        dialog.setting_changed.connect(lambda name, value: self._set(dialog, name, value))
        self._theme.dress(dialog)
        dialog.show()
        return dialog

    def show_keys(self) -> None:
        self.show_settings().show_keys()

    def settings_changed(self, names: tuple[str, ...]) -> None:
        if "theme" in names:
            self._theme.choose(self._parts.settings.text("theme"))

    def show_palette(self) -> None:
        from .dialogs.command_palette import CommandPalette

        CommandPalette(self._window.actions_.all(), self._theme, self._window).show()

    def show_engine(self, status: EngineStatus) -> None:
        """In the chip always; on the stage only when something is wrong."""
        self._window.top_bar.show_engine(status)
        said, about = self._stage.messages, f"engine {status.number}"
        if status.state == "restarting":
            what = self.tr("The engine is restarting. Pictures go on from their last snapshot.")
            said.show_message("warning", what, status.message, about=about)
        elif status.state == "failed":
            again = (self.tr("Start it again"), self.restart_engine)
            said.show_message("error", self.tr("The engine does not start."), status.message, again, about=about)
        elif status.state in ("ready", "busy"):
            said.clear(about)

    def _show_engines(self, statuses: tuple[EngineStatus, ...]) -> None:
        for status in statuses:
            self.show_engine(status)

    def restart_engine(self) -> None:
        self._do(self._parts.engines.restart)

    def unload_model(self) -> None:
        """At once: a picture being drawn waits half-done until the artist goes on with the queue."""

        def give_back() -> None:
            self._parts.runner.park()
            self._parts.engines.unload()

        self._do(give_back)

    def notice(self, notice: Notice) -> None:
        """On the stage, but for the chosen provider's trouble: that is said beside the button that begins."""
        if notice.provider and notice.provider == self._window.top_bar.provider():
            return
        self._stage.messages.show_message(notice.level, notice.text, notice.advice, about=notice.text)

    def say(self, problem: Problem) -> None:
        self._stage.messages.show_message("error", problem.message, problem.advice, about=problem.message)

    def show_logs(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._parts.home.logs)))

    def about(self) -> None:
        home = self.tr("Your pictures are in {0}").format(self._parts.home.root)
        self._stage.messages.show_message("info", f"ImageGen Desktop {__version__}", home)

    def _set(self, dialog: SettingsDialog, name: str, value: object) -> None:
        def refuse(problem: Problem) -> None:
            if isValid(dialog):
                dialog.messages.show_message("error", problem.message, problem.advice)
            else:  # it was closed meanwhile
                self.say(problem)

        self._bridge.ask(lambda: self._parts.settings.set(name, value), None, refuse)

    def _do(self, deed: Callable[[], object]) -> None:
        self._bridge.ask(deed, None, self.say)
