"""MessageBar: what went wrong or right, said in place, with the button that does the remedy."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from ..icons import name_icon
from ..languages import in_our_words
from .labels import WrappedLabel

_PASSING = 6000


class MessageBar(QFrame):
    """Hidden until there is something to say. `level`: info, warning or error."""

    shown = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageBar")
        self.setAccessibleName(self.tr("Message"))
        self._text = WrappedLabel()
        self._advice = WrappedLabel()
        self._advice.setObjectName("messageAdvice")
        self._remedy = QPushButton()
        self._remedy.setProperty("kind", "link")
        self._remedy.setAccessibleName(self.tr("No remedy"))
        self._remedy.clicked.connect(self._do_remedy)
        self._action: Callable[[], None] | None = None
        self._passing = QTimer(self)
        self._passing.setSingleShot(True)
        self._passing.timeout.connect(self.clear)
        self._arrange()
        self.hide()

    def show_message(
        self,
        level: str,
        text: str,
        advice: str = "",
        remedy: tuple[str, Callable[[], None]] | None = None,
        *,
        passing: bool = False,
    ) -> None:
        """Shows a message until it is closed, replaced or, when `passing`, a few seconds have gone by.

        What services say may be passed on as it is.
        """
        text, advice = in_our_words(text), in_our_words(advice)
        self.setProperty("level", level)
        self.style().unpolish(self)
        self.style().polish(self)
        self._text.setText(text)
        self._advice.setText(advice)
        self._advice.setVisible(bool(advice))
        self._action = remedy[1] if remedy else None
        self._remedy.setText(remedy[0] if remedy else "")
        self._remedy.setAccessibleName(remedy[0] if remedy else self.tr("No remedy"))
        self._remedy.setVisible(remedy is not None)
        self.setAccessibleDescription(f"{text} {advice}".strip())
        self._passing.stop()
        if passing:
            self._passing.start(_PASSING)
        self.show()
        self.shown.emit(text)

    def text(self) -> str:
        """What is being said, empty when nothing is."""
        return "" if self.isHidden() else self._text.text()

    def clear(self) -> None:
        self._passing.stop()
        self._text.clear()
        self.hide()

    def _do_remedy(self) -> None:
        action = self._action
        self.clear()
        if action is not None:
            action()

    def _arrange(self) -> None:
        close = QToolButton()
        close.setAccessibleName(self.tr("Close message"))
        close.setToolTip(self.tr("Close message"))
        name_icon(close, "close", "muted")
        close.clicked.connect(self.clear)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._text)
        words.addWidget(self._advice)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 4, 8)
        row.setSpacing(8)
        row.addLayout(words, 1)
        row.addWidget(self._remedy)
        row.addWidget(close)
