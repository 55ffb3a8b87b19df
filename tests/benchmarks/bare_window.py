"""The least a Qt window costs: the script our start is measured against. Prints `painted` with the first paint."""

from __future__ import annotations

import sys

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow


class Window(QMainWindow):
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        print("painted", flush=True)
        QApplication.exit()


def main() -> None:
    application = QApplication(sys.argv)
    window = Window()
    window.resize(1440, 900)
    window.show()
    application.exec()


if __name__ == "__main__":
    main()
