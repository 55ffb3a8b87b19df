"""Suggestion: a better prompt beside the artist's own, with every word that came or went, to take or leave."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout

from ...domain.word_diff import ADDED, REMOVED, Change
from ...services.enhance import BUILT_IN, Suggestion
from ..languages import in_our_words
from ..theme import Theme
from ..widgets.flow_layout import FlowLayout
from ..widgets.growing_edit import GrowingEdit
from ..widgets.labels import Label, WrappedLabel


class SuggestionCard(QFrame):
    """Hidden until something is asked for. `accepted` tells the text to take, `dismissed` that none is wanted."""

    accepted = Signal(str)
    dismissed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("suggestionCard")
        self.setAccessibleName(self.tr("Suggestion"))
        self._theme = theme
        self._suggestion: Suggestion | None = None
        self._takes_focus = False
        self._said = Label(self.tr("Suggestion"), "section")
        self._text = GrowingEdit(2, 10)
        self._source = WrappedLabel("", "small")
        self._accept = QPushButton(self.tr("Accept"))
        self._edit = QPushButton(self.tr("Edit"))
        self._reject = QPushButton(self.tr("Reject"))
        self._prepare()
        self._arrange()
        theme.changed.connect(self._paint_difference)
        self.hide()

    def show_writing(self) -> None:
        """Somebody begins to write."""
        self._takes_focus = True
        self._suggestion = None
        self._said.setText(self.tr("Writing…"))
        self._source.hide()
        self._text.setPlainText("")
        self._show_buttons(ready=False)
        self.show()

    def show_text(self, text: str) -> None:
        """What was written so far."""
        self._text.setPlainText(text)
        self._text.moveCursor(QTextCursor.MoveOperation.End)

    def show_suggestion(self, suggestion: Suggestion) -> None:
        """All of it, and who wrote it."""
        self._suggestion = suggestion
        changed = suggestion.text != suggestion.original
        self._said.setText(self.tr("Suggestion") if changed else self.tr("Nothing to add"))
        by_rule = suggestion.writer == BUILT_IN
        who = self.tr("Written by the built-in rules.") if by_rule else self.tr("Written by {0} at {1}.")
        notes = [in_our_words(note) for note in suggestion.notes]
        self._source.setText(
            " ".join([*notes] if by_rule and notes else [who.format(suggestion.writer, suggestion.place), *notes])
        )
        self._source.show()
        self._paint_difference()
        self._text.setAccessibleDescription(suggestion.text)
        self._show_buttons(ready=changed)
        self.show()
        if self._takes_focus:
            (self._accept if changed else self._reject).setFocus()

    def leave_focus(self) -> None:
        """The artist goes on writing: what comes does not take his keys."""
        self._takes_focus = False

    def show_nothing(self) -> None:
        self._suggestion = None
        self.hide()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and _is_escape(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_escape(event):
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)

    def _begin_editing(self) -> None:
        """From now on the suggested words alone, to be changed before they are taken."""
        if self._suggestion is not None:
            words = self._text.toPlainText() if not self._text.isReadOnly() else self._suggestion.text
            self._text.setReadOnly(False)
            self._text.setPlainText(words)
            self._text.moveCursor(QTextCursor.MoveOperation.End)
            self._text.setFocus()
            self._edit.hide()

    def _take(self) -> None:
        if self._suggestion is not None:
            edited = not self._text.isReadOnly()
            self.accepted.emit(self._text.toPlainText() if edited else self._suggestion.text)

    def _show_buttons(self, *, ready: bool) -> None:
        self._text.setReadOnly(True)
        self._accept.setVisible(ready)
        self._edit.setVisible(ready)
        self._reject.setText(self.tr("Reject") if ready else self.tr("Close") if self._suggestion else self.tr("Stop"))
        self._reject.setAccessibleName(self._reject.text())

    def _paint_difference(self) -> None:
        if self._suggestion is None or not self._text.isReadOnly():
            return
        self._text.clear()
        cursor = self._text.textCursor()
        for change in self._suggestion.changes:
            cursor.insertText(change.text, self._format(change))
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self._text.setTextCursor(cursor)

    def _format(self, change: Change) -> QTextCharFormat:
        tokens, made = self._theme.tokens, QTextCharFormat()
        made.setForeground(QColor(tokens.text))
        if change.kind == ADDED:
            made.setForeground(QColor(tokens.accent_text))
            made.setFontWeight(600)
        elif change.kind == REMOVED:
            made.setForeground(QColor(tokens.muted))
            made.setFontStrikeOut(True)
        return made

    def _prepare(self) -> None:
        self._text.setObjectName("suggestionText")
        self._text.setAccessibleName(self.tr("Suggested prompt"))
        self._text.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._text.document().setDocumentMargin(1)
        self._text.setReadOnly(True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        for name, button, deed in (
            ("acceptSuggestionButton", self._accept, self._take),
            ("editSuggestionButton", self._edit, self._begin_editing),
            ("rejectSuggestionButton", self._reject, self.dismissed.emit),
        ):
            button.setObjectName(name)
            button.setAccessibleName(button.text())
            button.clicked.connect(lambda _=False, deed=deed: deed())
        self._accept.setAutoDefault(True)

    def _arrange(self) -> None:
        buttons = FlowLayout(spacing=4)
        for button in (self._accept, self._edit, self._reject):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self._said)
        column.addWidget(self._text)
        column.addWidget(self._source)
        column.addLayout(buttons)


def _is_escape(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
