"""Furnishing: the panes, their connections and what happens at the end, put into a window that is on screen already."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QTimer, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from .. import logs
from ..services.announce import Notice
from ..services.assemble import Parts
from .bridge import Bridge
from .canvas.stage import Stage
from .garbage import GarbageCollector
from .main_window import MainWindow, Panes
from .memory import WindowMemory
from .panes.details import DetailsPane
from .panes.gallery import GalleryPane
from .panes.prompt import PromptPane
from .panes.queue import QueuePane
from .pictures import Pictures
from .theme import Theme
from .wiring import Wiring


def furnish(window: MainWindow, theme: Theme, parts: Parts) -> None:
    """The window owns the parts from now on and closes them with itself."""
    garbage = GarbageCollector(window)
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
    window.closing.connect(garbage.end)
    window.panes.prompt.focus_prompt()
    QTimer.singleShot(0, wiring.load)


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
