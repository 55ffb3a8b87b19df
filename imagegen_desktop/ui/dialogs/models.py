"""The models window: those on this computer, and getting more."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from ..widgets.message_bar import MessageBar
from .models_get import ModelsGet
from .models_here import ModelsHere


class ModelsDialog(QDialog):
    """`model_added` carries the path of a folder or file that was chosen or dropped."""

    model_added = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelsDialog")
        self.setWindowTitle(self.tr("Models"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAcceptDrops(True)
        self.resize(720, 640)
        self.messages = MessageBar()
        self.here = ModelsHere()
        self.get = ModelsGet()
        self._pages = QTabWidget()
        self._pages.setAccessibleName(self.tr("Models"))
        self._pages.addTab(_scrolled(self.here), self.tr("On this computer"))
        self._pages.addTab(_scrolled(self.get), self.tr("Get models"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.messages)
        column.addWidget(self._pages, 1)
        self.here.adding_folder.connect(self._ask_folder)
        self.here.adding_file.connect(self._ask_file)

    def turn_to_get(self) -> None:
        """Shows the page for getting models."""
        self._pages.setCurrentIndex(1)
        self.get.focus_id()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.isLocalFile():
                event.acceptProposedAction()
                self.model_added.emit(Path(url.toLocalFile()))

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Choose a model folder"))
        if folder:
            self.model_added.emit(Path(folder))

    def _ask_file(self) -> None:
        kinds = self.tr("Model files") + " (*.safetensors *.gguf)"
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Choose a model file"), "", kinds)
        if name:
            self.model_added.emit(Path(name))


def _scrolled(page: QWidget) -> QScrollArea:
    page.setObjectName("paneBody")
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(page)
    return scroll
