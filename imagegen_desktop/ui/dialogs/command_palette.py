"""The command palette: every action by a few of its letters."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

_WIDTH, _ROWS = 520, 12


class CommandPalette(QFrame):
    """A popup under the window's top edge; Return does the marked action, Esc closes."""

    def __init__(self, actions: list[QAction], window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self.setObjectName("sheet")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("Command palette"))
        self._actions = [action for action in actions if action.isEnabled() and action.isVisible()]
        self._search = QLineEdit()
        self._search.setAccessibleName(self.tr("Search a command"))
        self._search.setPlaceholderText(self.tr("What would you like to do?"))
        self._found = QListWidget()
        self._found.setAccessibleName(self.tr("Commands"))
        self._found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self._search)
        column.addWidget(self._found)
        self._search.textChanged.connect(self._filter)
        self._search.returnPressed.connect(self._do)
        self._search.installEventFilter(self)
        self._found.itemClicked.connect(lambda _: self._do())
        self._filter("")
        self._place(window)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrow keys move the mark while the artist types."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step and self._found.count():
                self._found.setCurrentRow((self._found.currentRow() + step) % self._found.count())
                return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        self._found.clear()
        words = text.casefold().split()
        for action in self._actions:
            name = action.text().replace("&", "").rstrip("…")
            if all(word in name.casefold() for word in words):
                item = QListWidgetItem(action.icon(), self._line(name, action))
                item.setData(Qt.ItemDataRole.UserRole, action)
                self._found.addItem(item)
        self._found.setCurrentRow(0)

    def _line(self, name: str, action: QAction) -> str:
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        return f"{name}    {keys}" if keys else name

    def _do(self) -> None:
        item = self._found.currentItem()
        self.close()
        if item is not None:
            item.data(Qt.ItemDataRole.UserRole).trigger()

    def _place(self, window: QWidget) -> None:
        self.setFixedWidth(_WIDTH)
        self._found.setFixedHeight(_ROWS * max(24, self._found.sizeHintForRow(0)) + 4)
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - _WIDTH) // 2, corner.y() + 72)
        self._search.setFocus()
