"""Editing jobs that wait: one form for one or many; what is not touched stays as it is in each."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...domain.job import Job
from ...domain.request import MAX_COUNT, MAX_SIDE, MAX_STEPS
from ..widgets.fields import Choice, WholeNumber, captioned
from ..widgets.growing_edit import GrowingEdit
from ..widgets.labels import WrappedLabel
from ..widgets.message_bar import MessageBar

_NUMBERS = {"steps": MAX_STEPS, "count": MAX_COUNT, "width": MAX_SIDE, "height": MAX_SIDE}


class EditJobs(QDialog):
    """`edited` tells the changed fields of the request by name."""

    edited = Signal(object)

    def __init__(self, jobs: list[Job], models: dict[str, str], parent: QWidget | None = None) -> None:
        """`models` are titles by name; empty where the jobs go to different providers."""
        super().__init__(parent)
        self.setObjectName("editJobsDialog")
        self.setWindowTitle(self.tr("Edit %n job(s)", "", len(jobs)))
        self.resize(440, 0)
        self._jobs = jobs
        self._prompt = GrowingEdit(3, 8)
        self._model = Choice("editModelCombo")
        self._numbers = {
            name: WholeNumber(f"edit{name.title()}Spin", 0, most, 8 if most == MAX_SIDE else 1)
            for name, most in _NUMBERS.items()
        }
        self._save = QPushButton(self.tr("Change"))
        self._close = QPushButton(self.tr("Cancel"))
        self.messages = MessageBar()
        self._fill(models)
        self._arrange(models)

    def changes(self) -> dict[str, Any]:
        """Only what differs from what the jobs have in common."""
        said: dict[str, Any] = {name: spin.value() or None for name, spin in self._numbers.items()}
        said["prompt"] = self._prompt.toPlainText().strip() or None
        said["model"] = str(self._model.currentData() or "") or None
        return {name: value for name, value in said.items() if value is not None and value != self._common(name)}

    def _common(self, name: str) -> Any:
        """What all jobs say of a field; None when they differ."""
        values = {getattr(job.request, name) for job in self._jobs}
        return values.pop() if len(values) == 1 else None

    def _fill(self, models: dict[str, str]) -> None:
        prompt = self._common("prompt")
        self._prompt.setObjectName("editPromptEdit")
        self._prompt.setPlainText(prompt or "")
        if prompt is None:
            self._prompt.setPlaceholderText(self.tr("Different prompts; empty keeps each"))
        common = self._common("model")
        if common not in models:
            self._model.addItem(self.tr("Unchanged"), "")
        for name, title in models.items():
            self._model.addItem(title, name)
        self._model.setCurrentIndex(max(0, self._model.findData(common)))
        for name, spin in self._numbers.items():
            spin.setSpecialValueText(self.tr("Unchanged"))
            spin.setValue(self._common(name) or 0)
            spin.setEnabled(any(getattr(job.request, name) for job in self._jobs))

    def _tell(self) -> None:
        self.messages.clear()
        changes = self.changes()
        if changes:
            self.edited.emit(changes)
        else:
            self.close()

    def _arrange(self, models: dict[str, str]) -> None:
        captions = {
            "steps": self.tr("Steps"),
            "count": self.tr("Pictures"),
            "width": self.tr("Width"),
            "height": self.tr("Height"),
        }
        grid = QGridLayout()
        grid.setSpacing(8)
        for place, (name, spin) in enumerate(self._numbers.items()):
            grid.addWidget(captioned(captions[name], spin), place // 2, place % 2)
        buttons = QHBoxLayout()
        buttons.addStretch()
        self._save.setObjectName("saveEditButton")
        self._save.setDefault(True)
        self._save.setProperty("kind", "main")
        self._save.clicked.connect(self._tell)
        self._close.clicked.connect(self.close)
        for button in (self._save, self._close):
            button.setAccessibleName(button.text())
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(captioned(self.tr("Prompt"), self._prompt))
        model = captioned(self.tr("Model"), self._model)
        model.setVisible(bool(models))
        column.addWidget(model)
        column.addLayout(grid)
        if len(self._jobs) > 1:
            column.addWidget(WrappedLabel(self.tr("What you do not touch stays as it is in each job."), "small"))
        column.addWidget(self.messages)
        column.addLayout(buttons)
