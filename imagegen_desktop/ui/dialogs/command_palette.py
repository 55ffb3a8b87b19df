"""The command palette: every action by a few of its letters."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ..theme import Theme
from ..tokens import CORNER
from ..widgets.items import Index
from ..widgets.keys import keys

_WIDTH, _ROWS, _ROW = 520, 12, 34
_KEYS = Qt.ItemDataRole.UserRole + 1


class CommandPalette(QFrame):
    """A popup under the window's top edge; Return does the marked action, Esc closes."""

    def __init__(self, actions: list[QAction], theme: Theme, window: QWidget) -> None:
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
        self._found.setItemDelegate(_Line(theme, self._found))
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
                item = QListWidgetItem(action.icon(), name)
                item.setData(Qt.ItemDataRole.UserRole, action)
                item.setData(_KEYS, keys(action.shortcut()))
                self._found.addItem(item)
        self._found.setCurrentRow(0)

    def _do(self) -> None:
        item = self._found.currentItem()
        self.close()
        if item is not None:
            item.data(Qt.ItemDataRole.UserRole).trigger()

    def _place(self, window: QWidget) -> None:
        self.setFixedWidth(_WIDTH)
        self._found.setFixedHeight(_ROWS * _ROW)
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - _WIDTH) // 2, corner.y() + 72)
        self._search.setFocus()


class _Line(QStyledItemDelegate):
    """Icon and name at the left, the shortcut at the right."""

    def __init__(self, theme: Theme, parent: QListWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens, rect = self._theme.tokens, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.selected))
            painter.drawRoundedRect(rect, CORNER, CORNER)
        icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
        icon.paint(painter, QRect(rect.left() + 10, rect.center().y() - 7, 16, 16))
        words = rect.adjusted(38, 0, -12, 0)
        painter.setPen(QColor(tokens.text))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, str(index.data()))
        painter.setPen(QColor(tokens.muted))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, index.data(_KEYS))
        painter.restore()
