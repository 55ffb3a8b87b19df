"""The head of a part of a pane: its title, and at the other edge the button that belongs to all of it."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QToolButton

from ..icons import name_icon
from ..widgets.fields import section


def titled(title: str, button: QAbstractButton) -> QHBoxLayout:
    head = QHBoxLayout()
    head.addWidget(section(title))
    head.addStretch()
    head.addWidget(button)
    return head


def adder(name: str) -> QToolButton:
    """A button that adds one to a list that grows."""
    button = QToolButton()
    button.setAccessibleName(name)
    button.setToolTip(name)
    name_icon(button, "plus", "muted")
    return button
