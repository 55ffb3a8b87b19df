"""The application: builds the window and everything behind it, runs it, and ends it without losing anything."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMainWindow

from .. import logs, paths
from ..domain.errors import Problem
from ..services.announce import Notice
from ..services.assemble import Parts, assemble
from .bridge import Bridge
from .canvas.stage import Stage
from .failed_start import FailedStart
from .languages import speak
from .main_window import MainWindow, Panes
from .memory import WindowMemory
from .panes.details import DetailsPane
from .panes.gallery import GalleryPane
from .panes.prompt import PromptPane
from .panes.queue import QueuePane
from .pictures import Pictures
from .polite_end import PoliteEnd
from .self_test import check_none_survives
from .theme import Theme
from .wiring import Wiring


def build(arguments: list[str]) -> tuple[QApplication, QMainWindow]:
    """Builds and shows the window on the home of this run; reuses an application that is there already."""
    home = paths.home()
    try:
        check_none_survives()
        # The engine is started in here, so that it imports its libraries while we build the window.
        parts = assemble(home)
    except Problem as problem:
        application = _application(arguments)
        Theme(application, paths.resources() / "theme").choose("system")
        failed = FailedStart(problem)
        failed.show()
        return application, failed
    logs.set_up(home.logs)
    return _application(arguments), open_window(_application(arguments), parts)


def run(arguments: list[str]) -> int:
    """Opens the window and stays until it is closed."""
    application, window = build(arguments)
    end = PoliteEnd(window)
    code = application.exec()
    end.remove()
    return 1 if isinstance(window, FailedStart) else code


def open_window(application: QApplication, parts: Parts) -> MainWindow:
    """The window on parts that are there already; it owns them from now on and closes them with itself."""
    resources = paths.resources()
    speak(application, resources / "lang", parts.settings.text("language"))
    theme = Theme(application, resources / "theme")
    theme.choose(parts.settings.text("theme"))
    window = MainWindow(theme)
    bridge = Bridge(parts.announce, window)
    pictures = Pictures(bridge)
    window.place(
        Panes(
            prompt=PromptPane(theme, pictures.load),
            stage=Stage(theme),
            queue=QueuePane(theme),
            details=DetailsPane(theme),
            gallery=GalleryPane(theme, bridge, parts.gallery),
        )
    )
    memory = WindowMemory(parts.home.root / "window.ini")
    window.restore(*memory.layout())
    wiring = Wiring(window, parts, bridge, theme, memory)
    faults = Faults(window, parts)
    window.closing.connect(lambda: _close(window, parts, bridge, wiring, memory, faults))
    window.show()
    window.panes.prompt.focus_prompt()
    QTimer.singleShot(0, wiring.load)
    return window


def _close(
    window: MainWindow, parts: Parts, bridge: Bridge, wiring: Wiring, memory: WindowMemory, faults: Faults
) -> None:
    """The window is hidden already; jobs that run stop at their next step and keep what they have."""
    wiring.remember()
    memory.keep_layout(*window.layout_state())
    memory.close()
    bridge.close(parts.runner.stop)
    parts.close()
    faults.remove()


def _application(arguments: list[str]) -> QApplication:
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    application = QApplication([sys.argv[0], *arguments])
    application.setApplicationName("imagegen-desktop")
    application.setApplicationDisplayName("ImageGen Desktop")
    application.setDesktopFileName("imagegen-desktop")
    return application


class Faults(QObject):
    """Our own mistakes: logged and told in place; the window stays."""

    happened = Signal(str)

    def __init__(self, window: MainWindow, parts: Parts) -> None:
        super().__init__(window)
        self._log = logs.logger("window")
        self._parts = parts
        self._before = (sys.excepthook, threading.excepthook, qInstallMessageHandler(self._qt_said))
        sys.excepthook = self._raised
        threading.excepthook = lambda args: self._raised(args.exc_type, args.exc_value, args.exc_traceback)

    def remove(self) -> None:
        sys.excepthook, threading.excepthook, handler = self._before
        qInstallMessageHandler(handler)

    def _raised(self, kind: type[BaseException], fault: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        self._log.error("a fault in the window", exc_info=(kind, fault, trace))
        text, advice = "Something went wrong inside the program.", "The log has the details."
        self._parts.announce.publish(Notice(level="error", text=text, advice=advice))

    def _qt_said(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if kind in (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
            self._log.error("Qt", message=message)
        elif kind == QtMsgType.QtWarningMsg:
            self._log.warning("Qt", message=message)
