"""The models on this computer: what each is, what is broken and why, and what can be done with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...domain.errors import ModelProblem
from ...domain.families import FAMILIES
from ...domain.model_card import FOLDER, MODEL, ModelCard
from ..icons import name_icon
from ..languages import in_our_words
from ..widgets.amounts import size
from ..widgets.fields import section
from ..widgets.labels import ElidedLabel, Label, WrappedLabel

#: Rows made at once: a library of hundreds must not hold the window up.
_AT_ONCE = 8

#: What is advised for files that could run code when they are opened.
_CONVERTIBLE = "models convert"


class ModelsHere(QWidget):
    """`dressed` asks for icons in a widget that was just made."""

    model_chosen = Signal(str)
    folder_wanted = Signal(object)
    checksum_wanted = Signal(object)
    remove_requested = Signal(object)
    remove_broken_requested = Signal(str)
    convert_requested = Signal(str)
    completion_wanted = Signal(object)
    adding_folder = Signal()
    adding_file = Signal()
    dressed = Signal(QWidget)

    def __init__(self) -> None:
        super().__init__()
        self._list = QVBoxLayout()
        self._busy = Label(self.tr("Looking through your models…"), "muted")
        self._waiting: deque[QWidget | ModelCard | tuple[str, ModelProblem]] = deque()
        self._chosen = ""
        self._completable: frozenset[str] = frozenset()
        self._more = QTimer(self)
        self._more.timeout.connect(self._add_some)
        self._arrange()

    def show_models(
        self, cards: Sequence[ModelCard], broken: Mapping[str, ModelProblem], chosen: str, completable: frozenset[str]
    ) -> None:
        """`chosen` is the model in use; `completable` those of which what is missing can be fetched."""
        self._busy.hide()
        self._waiting.clear()
        while (item := self._list.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.deleteLater()
        self._chosen, self._completable = chosen, completable
        titles = self._kind_titles()
        for kind, title in titles.items():
            mine = [card for card in cards if card.kind == kind]
            if mine and (kind != MODEL or len({card.kind for card in cards}) > 1):
                self._waiting.append(section(title))
            self._waiting.extend(mine)
        if broken:
            self._waiting.append(section(self.tr("Cannot be opened")))
            self._waiting.extend(broken.items())
        if not cards and not broken:
            self._waiting.append(WrappedLabel(self.tr("No model yet. Get one, or add a folder or file."), "muted"))
        self._add_some()
        self._more.start(0)

    def _add_some(self) -> None:
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            found = self._waiting.popleft()
            if isinstance(found, ModelCard):
                row: QWidget = self._row(found)
            else:
                row = self._broken_row(*found) if isinstance(found, tuple) else found
            self._list.addWidget(row)
            self.dressed.emit(row)
        if not self._waiting:
            self._more.stop()

    def _kind_titles(self) -> dict[str, str]:
        return {
            MODEL: self.tr("Models"),
            "lora": "LoRA",
            "embedding": self.tr("Embeddings"),
            "controlnet": "ControlNet",
            "vae": self.tr("Autoencoders"),
            "upscaler": self.tr("Upscalers"),
            "ip-adapter": "IP-Adapter",
            "image-encoder": self.tr("Image encoders"),
            "taesd": self.tr("Preview decoders"),
        }

    def _row(self, card: ModelCard) -> QWidget:
        title = card.title or card.name
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(ElidedLabel(title, "title"))
        words.addWidget(WrappedLabel(self._facts(card), "muted"))
        if card.missing:
            words.addWidget(WrappedLabel(in_our_words(card.missing)))
        elif card.summary and card.summary != title:
            words.addWidget(WrappedLabel(card.summary))
        words.addWidget(ElidedLabel(card.path, "small"))
        if card.about:
            self._add_card(words, card)
        row = _sheet(words)
        line = row.layout()
        assert isinstance(line, QHBoxLayout)
        if card.kind == MODEL and not card.missing:
            line.addWidget(self._use(card), 0, Qt.AlignmentFlag.AlignTop)
        elif card.name in self._completable:
            line.addWidget(self._fetch_missing(card), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._menu(card), 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _facts(self, card: ModelCard) -> str:
        family = FAMILIES[card.family].title if card.family in FAMILIES else card.family
        facts = [
            family,
            f"{card.width} × {card.height}" if card.width and card.height else "",
            size(card.size_bytes),
            card.licence,
            "" if card.format == FOLDER else card.format,
        ]
        return " · ".join(fact for fact in facts if fact)

    def _use(self, card: ModelCard) -> QPushButton:
        chosen = card.name == self._chosen
        use = QPushButton(self.tr("In use") if chosen else self.tr("Use"))
        use.setAccessibleName(self.tr("Use {0}").format(card.name))
        use.setAutoDefault(False)
        use.setEnabled(not chosen)
        use.clicked.connect(lambda: self.model_chosen.emit(card.name))
        return use

    def _fetch_missing(self, card: ModelCard) -> QPushButton:
        fetch = QPushButton(self.tr("Fetch what is missing"))
        fetch.setAccessibleName(self.tr("Fetch what {0} is missing").format(card.name))
        fetch.setAutoDefault(False)
        fetch.clicked.connect(lambda: self.completion_wanted.emit(card))
        return fetch

    def _menu(self, card: ModelCard) -> QToolButton:
        button = QToolButton()
        button.setAccessibleName(self.tr("More about {0}").format(card.name))
        button.setToolTip(self.tr("More"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        name_icon(button, "more", "muted")
        menu = QMenu(button)
        menu.addAction(self.tr("Show in folder")).triggered.connect(lambda: self.folder_wanted.emit(card))
        menu.addAction(self.tr("Checksum")).triggered.connect(lambda: self.checksum_wanted.emit(card))
        if not card.built_in:
            menu.addSeparator()
            menu.addAction(self.tr("Put into the bin")).triggered.connect(lambda: self.remove_requested.emit(card))
        button.setMenu(menu)
        return button

    def _broken_row(self, name: str, problem: ModelProblem) -> QWidget:
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(ElidedLabel(name, "title"))
        words.addWidget(WrappedLabel(in_our_words(problem.message)))
        words.addWidget(WrappedLabel(in_our_words(problem.advice), "muted"))
        row = _sheet(words)
        away = QToolButton()
        away.setAccessibleName(self.tr("Put {0} into the bin").format(name))
        away.setToolTip(self.tr("Put into the bin"))
        name_icon(away, "bin", "muted")
        away.clicked.connect(lambda: self.remove_broken_requested.emit(name))
        line = row.layout()
        assert isinstance(line, QHBoxLayout)
        if _CONVERTIBLE in problem.advice:
            convert = QPushButton(self.tr("Convert"))
            convert.setAccessibleName(self.tr("Convert {0}").format(name))
            convert.setAutoDefault(False)
            convert.clicked.connect(lambda: self.convert_requested.emit(name))
            line.addWidget(convert, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(away, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _add_card(self, words: QVBoxLayout, card: ModelCard) -> None:
        """The model card, folded in until it is asked for."""
        text = QPlainTextEdit(card.about)
        text.setReadOnly(True)
        text.setAccessibleName(self.tr("Model card of {0}").format(card.title or card.name))
        text.setMinimumHeight(240)
        text.hide()
        fold = QPushButton(self.tr("What it knows, and how it was made"))
        fold.setProperty("kind", "link")
        fold.setAutoDefault(False)
        fold.setCheckable(True)
        fold.toggled.connect(text.setVisible)
        words.addWidget(fold, 0, Qt.AlignmentFlag.AlignLeft)
        words.addWidget(text)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(WrappedLabel(self.tr("A model folder or file can also be dropped here."), "muted"), 1)
        for text, wish in ((self.tr("Add a folder…"), self.adding_folder), (self.tr("Add a file…"), self.adding_file)):
            button = QPushButton(text)
            button.setAccessibleName(text.rstrip("…"))
            button.setAutoDefault(False)
            name_icon(button, "plus")
            button.clicked.connect(wish)
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(12)
        self._list.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._busy)
        column.addLayout(self._list)
        column.addStretch()


def _sheet(words: QVBoxLayout) -> QFrame:
    row = QFrame()
    row.setObjectName("sheet")
    line = QHBoxLayout(row)
    line.setContentsMargins(16, 12, 16, 12)
    line.setSpacing(8)
    line.addLayout(words, 1)
    return row
