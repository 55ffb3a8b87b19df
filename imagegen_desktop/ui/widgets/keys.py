"""Keys as artists read them on their keyboard."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence


def keys(sequence: str | QKeySequence) -> str:
    """A shortcut in the system's own words; the large key is called Enter."""
    text = QKeySequence(sequence).toString(QKeySequence.SequenceFormat.NativeText)
    return text.replace("Return", "Enter")
