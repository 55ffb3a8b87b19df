"""Dock: a pane that can be moved, floated and hidden, with a quiet title bar."""

from __future__ import annotations

from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QToolButton, QWidget

from ..icons import name_icon
from .labels import ElidedLabel, Label


class Dock(QDockWidget):
    def __init__(self, name: str, title: str, content: QWidget, header: QWidget | None = None) -> None:
        """`header` is what a pane wants beside its title."""
        super().__init__(title)
        self.setObjectName(name)
        self.setTitleBarWidget(self._title_bar(title, header))
        self.setWidget(content)

    def _title_bar(self, title: str, header: QWidget | None) -> QWidget:
        bar = QWidget()
        bar.setObjectName("dockTitle")
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 6, 8, 6)
        row.setSpacing(0)
        name = Label(title) if header else ElidedLabel(title)
        name.setObjectName("dockTitleText")
        row.addWidget(name, 0 if header else 1)
        if header:
            row.addWidget(header, 1)
        float_it = QToolButton()
        float_it.setAccessibleName(self.tr("Float {0}").format(title))
        float_it.setToolTip(self.tr("Float or put back"))
        name_icon(float_it, "float", "muted")
        float_it.clicked.connect(lambda: self.setFloating(not self.isFloating()))
        hide = QToolButton()
        hide.setAccessibleName(self.tr("Hide {0}").format(title))
        hide.setToolTip(self.tr("Hide (View menu brings it back)"))
        name_icon(hide, "close", "muted")
        hide.clicked.connect(self.close)
        row.addWidget(float_it)
        row.addWidget(hide)
        return bar
