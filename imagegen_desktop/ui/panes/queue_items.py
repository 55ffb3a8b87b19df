"""The queue's rows: jobs, how far each is, and moving one by dragging it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QMimeData, QModelIndex, QObject, Qt, Signal

from ...domain.job import ACTIVE, WAITING, Job, JobState
from ...protocol.messages import Event, Started, Step
from ..languages import in_our_words
from ..pace import Pace
from ..widgets.amounts import number
from ..widgets.items import ROOT, Index

JOB = Qt.ItemDataRole.UserRole
PACE = Qt.ItemDataRole.UserRole + 1
_MIME = "application/x-imagegen-job"


def error_text(job: Job) -> str:
    """What went wrong with a job and what to do; empty when nothing did."""
    return f"{in_our_words(job.error.message)} {in_our_words(job.error.advice)}".strip() if job.error else ""


class QueueItems(QAbstractListModel):
    """UserRole is the Job, UserRole + 1 its Pace while it runs."""

    move_requested = Signal(str, int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs: list[Job] = []
        self._paces: dict[str, Pace] = {}

    def show_jobs(self, jobs: list[Job]) -> None:
        """Replaces the rows; when the same jobs stand in the same order only their contents change."""
        active = {job.id for job in jobs if job.state in ACTIVE}
        self._paces = {job: pace for job, pace in self._paces.items() if job in active}
        if [job.id for job in jobs] == [job.id for job in self._jobs]:
            self._jobs = jobs
            if jobs:
                self.dataChanged.emit(self.index(0), self.index(len(jobs) - 1))
            return
        self.beginResetModel()
        self._jobs = jobs
        self.endResetModel()

    def show_event(self, job_id: str, event: Event) -> None:
        if not isinstance(event, Started | Step):
            return
        row = self.row_of(job_id)
        if row >= 0:
            count = self._jobs[row].request.count
            self._paces[job_id] = self._paces.get(job_id, Pace(count=count)).after(event)
            self.dataChanged.emit(self.index(row), self.index(row))

    def jobs(self) -> list[Job]:
        return self._jobs

    def row_of(self, job_id: str) -> int:
        """The row of a job, -1 when it is not listed."""
        return next((row for row, job in enumerate(self._jobs) if job.id == job_id), -1)

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self._jobs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._jobs):
            return None
        job = self._jobs[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.title(job)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{self.state_name(job)}: {self.title(job)}"
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return error_text(job)
            case _ if role == JOB:
                return job
            case _ if role == PACE:
                return self._paces.get(job.id)
        return None

    def title(self, job: Job) -> str:
        """A job in one line: its words, and that it only makes larger what is there."""
        words = " ".join(job.request.prompt.split())
        if job.request.upscale is None:
            return words or self.tr("No words")
        larger = self.tr("{0} times larger").format(number(job.request.upscale))
        return f"{larger}: {words}" if words else larger

    def state_name(self, job: Job) -> str:
        """The job's state in the artist's words."""
        names = {
            JobState.QUEUED: self.tr("Waiting"),
            JobState.LEASED: self.tr("Preparing"),
            JobState.RUNNING: self.tr("Drawing"),
            JobState.SAVING: self.tr("Saving"),
            JobState.PAUSED: self.tr("Paused"),
            JobState.DONE: self.tr("Done"),
            JobState.FAILED: self.tr("Failed"),
            JobState.CANCELLED: self.tr("Cancelled"),
            JobState.PARKED: self.tr("Set aside"),
            JobState.UNCERTAIN: self.tr("Unclear"),
        }
        return names[job.state]

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if not index.isValid():
            return flags | Qt.ItemFlag.ItemIsDropEnabled
        waits = self._jobs[index.row()].state in WAITING
        return flags | Qt.ItemFlag.ItemIsDragEnabled if waits else flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        mime = QMimeData()
        mime.setData(_MIME, QByteArray(self._jobs[indexes[0].row()].id.encode()))
        return mime

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Wishes the move; the queue does it and tells us. False, so that the view removes nothing itself."""
        job = bytes(data.data(_MIME).data()).decode()
        before = self._jobs[: len(self._jobs) if row < 0 else row]
        place = sum(1 for other in before if other.state in WAITING and other.id != job)
        self.move_requested.emit(job, place)
        return False
