"""GrowingEdit: a plain-text field that grows with what is written, between two numbers of lines."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

_FRAME = 16


class GrowingEdit(QPlainTextEdit):
    """A dropped file is not pasted as text; its path is told by `file_dropped`."""

    file_dropped = Signal(str)

    def __init__(self, least: int, most: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least = least
        self._most = most
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    def replace_text(self, text: str) -> None:
        """All of the text by another, which one undo takes back."""
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        self.setTextCursor(cursor)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self._height(self._least))

    def sizeHint(self) -> QSize:
        return QSize(240, self._height(self._least))

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        files = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        if files:
            self.file_dropped.emit(files[0])
        elif source.hasText():
            self.insertPlainText(source.text())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        lines = round(self.document().size().height())
        self.setFixedHeight(self._height(max(self._least, min(self._most, lines))))

    def _height(self, lines: int) -> int:
        return self.fontMetrics().lineSpacing() * lines + round(2 * self.document().documentMargin()) + _FRAME
