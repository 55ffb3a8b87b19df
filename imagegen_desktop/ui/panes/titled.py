"""The head of a list that grows: its title, and the button that adds to it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QToolButton

from ..icons import name_icon
from ..widgets.fields import section


def titled(title: str, button: QToolButton) -> QHBoxLayout:
    head = QHBoxLayout()
    head.addWidget(section(title))
    head.addStretch()
    head.addWidget(button)
    return head


def adder(name: str) -> QToolButton:
    button = QToolButton()
    button.setAccessibleName(name)
    button.setToolTip(name)
    name_icon(button, "plus", "muted")
    return button
