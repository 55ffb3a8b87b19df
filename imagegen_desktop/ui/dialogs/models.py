"""The models on this machine: what each is, and adding one by choosing or dropping it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ...domain.model_card import ModelCard
from ..icons import name_icon
from ..widgets.amounts import size
from ..widgets.labels import ElidedLabel, Label, WrappedLabel
from ..widgets.message_bar import MessageBar


class ModelsDialog(QDialog):
    model_added = Signal(object)
    model_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelsDialog")
        self.setWindowTitle(self.tr("Models"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAcceptDrops(True)
        self.resize(640, 520)
        self.messages = MessageBar()
        self._list = QVBoxLayout()
        self._arrange()

    def show_models(self, cards: list[ModelCard], chosen: str) -> None:
        while self._list.count():
            item = self._list.takeAt(0)
            if item is not None and (row := item.widget()) is not None:
                row.deleteLater()
        for card in cards:
            self._list.addWidget(self._row(card, card.name == chosen))
        if not cards:
            self._list.addWidget(WrappedLabel(self.tr("No model yet. Add a model folder to begin."), "muted"))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.isLocalFile():
                event.acceptProposedAction()
                self.model_added.emit(Path(url.toLocalFile()))

    def _row(self, card: ModelCard, chosen: bool) -> QWidget:
        row = QFrame()
        row.setObjectName("sheet")
        family = card.traits
        facts = f"{family.title} · {card.width} × {card.height} · {size(card.size_bytes)}"
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(ElidedLabel(card.title or card.name, "title"))
        words.addWidget(Label(facts, "muted"))
        if card.summary:
            words.addWidget(WrappedLabel(card.summary))
        words.addWidget(ElidedLabel(card.path, "small"))
        use = QPushButton(self.tr("In use") if chosen else self.tr("Use"))
        use.setAccessibleName(self.tr("Use {0}").format(card.name))
        use.setEnabled(not chosen)
        use.clicked.connect(lambda: self.model_chosen.emit(card.name))
        if card.about:
            self._add_card(words, card)
        line = QHBoxLayout(row)
        line.setContentsMargins(16, 12, 16, 12)
        line.setSpacing(16)
        line.addLayout(words, 1)
        line.addWidget(use, 0, Qt.AlignmentFlag.AlignTop)
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
        fold.setCheckable(True)
        fold.toggled.connect(text.setVisible)
        words.addWidget(fold, 0, Qt.AlignmentFlag.AlignLeft)
        words.addWidget(text)

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Choose a model folder"))
        if folder:
            self.model_added.emit(Path(folder))

    def _arrange(self) -> None:
        add = QPushButton(self.tr("Add a model…"))
        add.setAccessibleName(self.tr("Add a model"))
        name_icon(add, "plus")
        add.clicked.connect(self._ask)
        head = QHBoxLayout()
        head.setContentsMargins(24, 16, 24, 8)
        head.addWidget(WrappedLabel(self.tr("A model folder can also be dropped here."), "muted"), 1)
        head.addWidget(add)
        body = QWidget()
        body.setObjectName("paneBody")
        inner = QVBoxLayout(body)
        inner.setContentsMargins(24, 8, 24, 24)
        inner.addLayout(self._list)
        inner.addStretch()
        self._list.setSpacing(8)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.messages)
        column.addWidget(scroll, 1)
