"""The application: shows a window at once, builds everything behind it, and ends it without losing anything."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication, QMainWindow

from .. import paths
from ..domain.errors import Problem
from ..settings import Settings
from .languages import speak
from .memory import WindowMemory
from .self_test import check_none_survives
from .theme import Theme

if TYPE_CHECKING:
    from ..services.assemble import Parts
    from .main_window import MainWindow


def build(arguments: list[str]) -> tuple[QApplication, QMainWindow]:
    """Builds and shows the window on the home of this run; reuses an application that is there already.

    The frame is painted before anything is imported that it does not need itself; then the engine is started,
    so that it imports its libraries while the window is furnished.
    """
    application, home = _application(arguments), paths.home()
    try:
        check_none_survives()
        with _uncollected():
            window, theme = _frame(application, Settings(home.settings))
            window.restore_geometry(WindowMemory(home.root / "window.ini").layout()[0])
            window.show()
            application.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        from .. import logs
        from ..services.assemble import assemble
        from .furnishing import furnish

        logs.set_up(home.prepare().logs)
        furnish(window, theme, assemble(home))
    except Problem as problem:
        return application, _failed(application, problem)
    return application, window


def run(arguments: list[str]) -> int:
    """Opens the window and stays until it is closed."""
    from .main_window import MainWindow
    from .polite_end import PoliteEnd

    application, window = build(arguments)
    gc.freeze()  # what is there now stays: looking at it again and again would be felt as a stutter
    end = PoliteEnd(window)
    code = application.exec()
    end.remove()
    return code if isinstance(window, MainWindow) else 1


def open_window(application: QApplication, parts: Parts) -> MainWindow:
    """The window on parts that are there already; it owns them from now on and closes them with itself."""
    from .furnishing import furnish

    window, theme = _frame(application, parts.settings)
    furnish(window, theme, parts)
    window.show()
    return window


def _frame(application: QApplication, settings: Settings) -> tuple[MainWindow, Theme]:
    """The window without its panes, dressed."""
    from .main_window import MainWindow

    resources = paths.resources()
    speak(application, resources / "lang", settings.text("language"))
    theme = Theme(application, resources / "theme")
    theme.choose(settings.text("theme"))
    return MainWindow(theme), theme


@contextmanager
def _uncollected() -> Iterator[None]:
    """Within it nobody looks for garbage: while modules are imported there is none, and the first paint would wait."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _failed(application: QApplication, problem: Problem) -> QMainWindow:
    """In place of the window: why there is none, and what to do."""
    from .failed_start import FailedStart

    for unfinished in application.topLevelWidgets():
        unfinished.hide()
    Theme(application, paths.resources() / "theme").choose("system")
    failed = FailedStart(problem)
    failed.show()
    return failed


def _application(arguments: list[str]) -> QApplication:
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    application = QApplication([sys.argv[0], *arguments])
    application.setApplicationName("imagegen-desktop")
    application.setApplicationDisplayName("ImageGen Desktop")
    application.setDesktopFileName("imagegen-desktop")
    return application
