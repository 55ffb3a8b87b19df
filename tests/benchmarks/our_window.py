"""Our window until its first paint. Prints `painted`."""

from __future__ import annotations

import os

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from imagegen_desktop.ui.application import build


class FirstPaint(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            os.write(1, b"painted\n")
            QApplication.instance().removeEventFilter(self)
        return False


def main() -> None:
    watcher = FirstPaint()
    application = QApplication([])
    application.installEventFilter(watcher)
    _, window = build([])
    application.processEvents()
    window.close()


if __name__ == "__main__":
    main()
