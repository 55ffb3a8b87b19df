"""MessageBar: what went wrong or right, said in place, with the button that does the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from ..icons import name_icon
from ..languages import in_our_words
from .labels import Label, WrappedLabel

_PASSING_MS = 6000
_SHOWN, _MOST = 2, 20
_WORST_FIRST = ("error", "warning", "info")

Remedy = tuple[str, Callable[[], None]]


@dataclass(frozen=True, eq=False)
class Message:
    level: str
    text: str
    advice: str
    remedy: Remedy | None
    about: str


class MessageBar(QWidget):
    """Hidden until there is something to say; the worst stands first, and what has no room waits its turn."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._messages: list[Message] = []
        self._notes = [_Note() for _ in range(_SHOWN)]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for note in self._notes:
            note.done_with.connect(self._drop)
            column.addWidget(note)
        self.hide()

    def show_message(
        self,
        level: str,
        text: str,
        advice: str = "",
        remedy: Remedy | None = None,
        *,
        about: str = "",
        passing: bool = False,
    ) -> None:
        """Shows a message until it is closed or, when `passing`, a few seconds have gone by.

        `level` is info, warning or error. It takes the place of the one that was `about` the same; empty is what the
        artist just did, so that news from elsewhere never hides it. What services say may be passed on as it is.
        """
        message = Message(level, in_our_words(text), in_our_words(advice), remedy, about)
        others = [other for other in self._messages if other.about != about]
        self._messages = sorted([message, *others], key=lambda each: _WORST_FIRST.index(each.level))[:_MOST]
        if passing:
            QTimer.singleShot(_PASSING_MS, self, lambda: self._drop(message))
        self._show()

    def text(self) -> str:
        """What is being said first, empty when nothing is."""
        return self._messages[0].text if self._messages else ""

    def clear(self, about: str = "") -> None:
        """Takes back what was said about that."""
        self._messages = [message for message in self._messages if message.about != about]
        self._show()

    def _drop(self, message: Message) -> None:
        self._messages = [other for other in self._messages if other is not message]
        self._show()

    def _show(self) -> None:
        waiting = len(self._messages) - _SHOWN
        for place, note in enumerate(self._notes):
            message = self._messages[place] if place < len(self._messages) else None
            note.show_message(message, waiting if place == _SHOWN - 1 else 0)
        self.setVisible(bool(self._messages))


class _Note(QFrame):
    done_with = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("message")
        self.setAccessibleName(self.tr("Message"))
        self._message: Message | None = None
        self._text = WrappedLabel()
        self._advice = WrappedLabel()
        self._advice.setObjectName("messageAdvice")
        self._more = Label("", "small")
        self._remedy = QPushButton()
        self._remedy.setProperty("kind", "link")
        self._remedy.clicked.connect(self._do_remedy)
        self._arrange()
        self.show_message(None, 0)

    def show_message(self, message: Message | None, waiting: int) -> None:
        """None for nothing; `waiting` are the messages there is no room for."""
        self.setVisible(message is not None)
        self._more.setText(self.tr("%n more", "", waiting) if waiting > 0 else "")
        self._more.setVisible(waiting > 0)
        if message is self._message and message is not None:
            return
        self._message = message
        said = message or Message("info", "", "", None, "")
        self.setProperty("level", said.level)
        self.style().unpolish(self)
        self.style().polish(self)
        self._text.setText(said.text)
        self._advice.setText(said.advice)
        self._advice.setVisible(bool(said.advice))
        remedy = said.remedy[0] if said.remedy else ""
        self._remedy.setText(remedy)
        self._remedy.setAccessibleName(remedy or self.tr("No remedy"))
        self._remedy.setVisible(bool(remedy))
        self.setAccessibleDescription(f"{said.text} {said.advice}".strip())

    def _close(self) -> None:
        self.done_with.emit(self._message)

    def _do_remedy(self) -> None:
        message = self._message
        self._close()
        if message is not None and message.remedy is not None:
            message.remedy[1]()

    def _arrange(self) -> None:
        close = QToolButton()
        close.setAccessibleName(self.tr("Close message"))
        close.setToolTip(self.tr("Close message"))
        name_icon(close, "close", "muted")
        close.clicked.connect(self._close)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._text)
        words.addWidget(self._advice)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 4, 8)
        row.setSpacing(8)
        row.addLayout(words, 1)
        row.addWidget(self._remedy)
        row.addWidget(self._more)
        row.addWidget(close)
