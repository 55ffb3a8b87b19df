"""Editing: jobs that wait are changed as rows, several at once; undo takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt

from ..domain.errors import Problem
from ..domain.job import Job
from ..services.queue_edits import QueueEdits
from .bridge import Bridge
from .choosing import Choosing
from .main_window import MainWindow

if TYPE_CHECKING:
    from .dialogs.edit_jobs import EditJobs


class Editing(QObject):
    def __init__(self, window: MainWindow, edits: QueueEdits, bridge: Bridge, choosing: Choosing) -> None:
        super().__init__(window)
        self._window = window
        self._edits = edits
        self._bridge = bridge
        self._choosing = choosing
        self._dialog: EditJobs | None = None

    def edit(self, jobs: list[Job]) -> None:
        """Opens the form; one at a time."""
        from .dialogs.edit_jobs import EditJobs

        if self._dialog is not None:
            self._dialog.close()
        providers = {job.request.provider for job in jobs}
        models = self._choosing.models_of(providers.pop()) if len(providers) == 1 else {}
        dialog = EditJobs(jobs, models, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.edited.connect(lambda changes: self._change(dialog, [job.id for job in jobs], changes))
        dialog.finished.connect(lambda _: self._closed(dialog))
        self._dialog = dialog
        dialog.show()

    def _change(self, dialog: EditJobs, ids: list[str], changes: dict[str, Any]) -> None:
        self._bridge.ask(
            lambda: self._edits.edit(ids, **changes),
            lambda _: self._done(dialog),
            lambda problem: self._refuse(dialog, problem),
        )

    def _done(self, dialog: EditJobs) -> None:
        if self._dialog is dialog:
            dialog.close()

    def _refuse(self, dialog: EditJobs, problem: Problem) -> None:
        if self._dialog is dialog:
            dialog.messages.show_message("error", problem.message, problem.advice)

    def _closed(self, dialog: EditJobs) -> None:
        if self._dialog is dialog:
            self._dialog = None
