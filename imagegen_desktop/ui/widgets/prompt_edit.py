"""PromptEdit: a field for prompts — weights by key, and a quiet line under what will not be understood."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from ...domain.prompt_editing import weighed
from ...domain.prompt_syntax import loose_brackets
from ..theme import Theme
from .growing_edit import GrowingEdit

#: What is longer is not looked through while it is typed.
_MOST_CHARACTERS = 20_000
_STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
_MODIFIERS = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


class PromptEdit(GrowingEdit):
    """Alt or Ctrl with the arrows up and down changes the weight of the selection or the words at the cursor."""

    def __init__(self, least: int, most: int, theme: Theme) -> None:
        super().__init__(least, most)
        self._theme = theme
        self._unknown: tuple[str, ...] = ()
        self.textChanged.connect(self._mark)
        theme.changed.connect(self._mark)

    def show_unknown(self, unknown: tuple[str, ...]) -> None:
        """Texts as they are written that name what is not there."""
        if unknown != self._unknown:
            self._unknown = unknown
            self._mark()

    def marked(self) -> list[str]:
        """The texts that have a line under them."""
        return [selection.cursor.selectedText() for selection in self.extraSelections()]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = _STEPS.get(Qt.Key(event.key()))
        if steps is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier not in _MODIFIERS:
            super().keyPressEvent(event)
        else:
            self._weigh(steps)

    def _weigh(self, steps: int) -> None:
        """One step of undo; the same words stay selected."""
        cursor = self.textCursor()
        before = self.toPlainText()
        units = _units(before)
        start, end = (units.index(place) for place in (cursor.selectionStart(), cursor.selectionEnd()))
        text, start, end = weighed(before, start, end, steps)
        if text == before:
            return
        self.replace_text(text)
        units = _units(text)
        cursor = self.textCursor()
        cursor.setPosition(units[start])
        cursor.setPosition(units[end], QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def _mark(self) -> None:
        text = self.toPlainText()
        color = QColor(self._theme.tokens.warning)
        selections = []
        for start, end in self._places(text) if len(text) <= _MOST_CHARACTERS else ():
            selection = QTextEdit.ExtraSelection()
            selection.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            selection.format.setUnderlineColor(color)
            selection.cursor = QTextCursor(self.document())
            selection.cursor.setPosition(start)
            selection.cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            selections.append(selection)
        self.setExtraSelections(selections)

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        units = _units(text)
        for place in loose_brackets(text):
            yield units[place], units[place + 1]
        for unknown in self._unknown:
            place = text.find(unknown)
            while place >= 0:
                yield units[place], units[place + len(unknown)]
                place = text.find(unknown, place + len(unknown))


def _units(text: str) -> list[int]:
    """Where each character begins as Qt counts: some take two of its units."""
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places
