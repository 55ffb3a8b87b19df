"""Words: the prompt, the button that betters it, the suggestion it brings, and what should not be in the picture."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...services.reading import Reading
from ..icons import name_icon
from ..theme import Theme
from ..widgets.fields import captioned
from ..widgets.keys import keys
from ..widgets.labels import Label
from ..widgets.offered import offer
from ..widgets.prompt_edit import PromptEdit
from .suggestion import SuggestionCard


class Words(QWidget):
    changed = Signal()
    enhance_requested = Signal()
    file_dropped = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._prompt = PromptEdit(4, 12, theme)
        self._negative = PromptEdit(1, 5, theme)
        self._length = Label("", "small")
        self._enhance = QPushButton(self.tr("Enhance"))
        self.suggestion = SuggestionCard(theme)
        self._prepare()
        self._arrange()
        self._connect()
        self._update()

    def prompt(self) -> str:
        return self._prompt.toPlainText()

    def negative_prompt(self) -> str:
        """Empty where the model takes none."""
        return self._negative.toPlainText() if self._negative.isEnabled() else ""

    def show_prompt(self, prompt: str, negative: str | None = None) -> None:
        self._prompt.setPlainText(prompt)
        if negative is not None:
            self._negative.setPlainText(negative)

    def add_word(self, word: str) -> None:
        """Put behind the prompt, unless it stands there already; one step of undo."""
        said = self.prompt().rstrip().removesuffix(",")
        if word.casefold() not in said.casefold():
            self._take(f"{said}, {word}" if said else word)

    def show_missing(self, reason: str) -> None:
        """Why there is no negative prompt; empty when there is one."""
        offer(self._negative, reason)

    def show_reading(self, reading: Reading) -> None:
        """How many tokens the prompt takes of those its chunks have room for; nothing where nobody knows."""
        self._length.setText(f"{reading.tokens} / {reading.room}" if reading.room and self.prompt().strip() else "")
        self._prompt.show_unknown(reading.unknown)

    def show_busy(self, writing: bool) -> None:
        self._enhance.setEnabled(not writing and bool(self.prompt().strip()))

    def focus_prompt(self) -> None:
        self._prompt.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _take(self, text: str) -> None:
        """One step of undo, wherever the cursor was."""
        self.suggestion.show_nothing()
        self._prompt.replace_text(text)
        self._prompt.setFocus()

    def _update(self) -> None:
        self._enhance.setEnabled(bool(self.prompt().strip()))

    def _prepare(self) -> None:
        self._prompt.setObjectName("promptEdit")
        self._prompt.setAccessibleName(self.tr("Prompt"))
        self._prompt.setPlaceholderText(self.tr("Describe a picture"))
        self._negative.setObjectName("negativePromptEdit")
        self._negative.setPlaceholderText(self.tr("What should not be in it"))
        self._length.setObjectName("promptLength")
        self._length.setAccessibleName(self.tr("Tokens of the prompt"))
        self._length.setToolTip(self.tr("Tokens of the prompt, and how many its parts have room for"))
        self._enhance.setObjectName("enhanceButton")
        self._enhance.setAccessibleName(self.tr("Enhance the prompt"))
        self._enhance.setToolTip(self.tr("Suggest what the prompt does not say yet ({0})").format(keys("Ctrl+E")))
        self._enhance.setProperty("kind", "quiet")
        name_icon(self._enhance, "enhance", "accent_text")

    def _connect(self) -> None:
        self._prompt.textChanged.connect(self._update)
        self._prompt.textChanged.connect(self.changed)
        self._prompt.textChanged.connect(self.suggestion.leave_focus)
        self._negative.textChanged.connect(self.changed)
        self._prompt.file_dropped.connect(self.file_dropped)
        self._enhance.clicked.connect(self.enhance_requested)
        self.suggestion.accepted.connect(self._take)

    def _arrange(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self._length)
        line.addStretch()
        line.addWidget(self._enhance)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._prompt)
        column.addLayout(line)
        column.addWidget(self.suggestion)
        column.addWidget(captioned(self.tr("Negative prompt"), self._negative))
