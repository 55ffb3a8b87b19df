"""What is shown instead of the window when the program cannot start: why, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow, QPushButton, QVBoxLayout, QWidget

from ..domain.errors import Problem
from .languages import in_our_words
from .widgets.labels import Label, WrappedLabel


class FailedStart(QMainWindow):
    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.setWindowTitle("ImageGen Desktop")
        self.resize(560, 280)
        close = QPushButton(self.tr("Close"))
        close.setAccessibleName(self.tr("Close"))
        close.setProperty("kind", "main")
        close.clicked.connect(self.close)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(32, 32, 32, 32)
        column.setSpacing(12)
        column.addWidget(Label(self.tr("ImageGen Desktop cannot start"), "headline"))
        column.addWidget(WrappedLabel(in_our_words(problem.message)))
        column.addWidget(WrappedLabel(in_our_words(problem.advice), "muted"))
        column.addStretch()
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.setCentralWidget(body)
