"""The ✕ inside a line of text, from our own icons."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit

from ..icons import name_icon


def add_clear_button(line: QLineEdit) -> None:
    """Shown while there is text; clicking it empties the line."""
    clear = QAction(line.tr("Clear"), line)
    name_icon(clear, "close", "muted")
    clear.triggered.connect(line.clear)
    clear.setVisible(False)
    line.textChanged.connect(lambda text: clear.setVisible(bool(text)))
    line.addAction(clear, QLineEdit.ActionPosition.TrailingPosition)
