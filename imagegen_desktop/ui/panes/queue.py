"""The queue pane: what is being drawn, what waits, what ended; dragged, paused, cancelled, retried."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...domain.job import FINISHED, Job, JobState
from ...protocol.messages import Event
from ..icons import name_icon
from ..theme import Theme
from ..widgets.amounts import duration
from ..widgets.labels import ElidedLabel, WrappedLabel
from ..widgets.message_bar import MessageBar
from .queue_card import QueueCard
from .queue_items import JOB, QueueItems, error_text
from .queue_menu import EDITABLE, RETRYABLE, Deeds, build

_MEASURED_AT_ONCE = 200


class QueueView(QListView):
    """Cards; Del cancels, Return retries, resumes or edits, F2 edits, Ctrl+D duplicates."""

    delete_pressed = Signal()
    edit_pressed = Signal()
    duplicate_pressed = Signal()

    def __init__(self, items: QueueItems) -> None:
        super().__init__()
        self.setObjectName("queueView")
        self.setAccessibleName(self.tr("Queue"))
        self.setModel(items)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDropIndicatorShown(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMouseTracking(True)
        # Ten thousand cards are measured a few at a time, the first ones first.
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(_MEASURED_AT_ONCE)
        self._shapes: object = None

    def lay_out_anew(self, shapes: object) -> None:
        """Unless the cards have the shapes they had."""
        if shapes != self._shapes:
            self._shapes = shapes
            self.scheduleDelayedItemsLayout()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.edit_pressed.emit()
        elif event.key() == Qt.Key.Key_D and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.duplicate_pressed.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()


class QueuePane(QWidget):
    cancel_requested = Signal(object)
    pause_requested = Signal(str)
    resume_requested = Signal(str)
    retry_requested = Signal(str)
    move_requested = Signal(str, int)
    pause_all_requested = Signal(bool)
    clear_requested = Signal()
    use_requested = Signal(object)
    edit_requested = Signal(object)
    duplicate_requested = Signal(object)
    split_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._items = QueueItems(self)
        self._view = QueueView(self._items)
        self._cards = QueueCard(theme, self._items, self._view)
        self._view.setItemDelegate(self._cards)
        self._summary = ElidedLabel("", "small")
        self._pause = QToolButton()
        self._clear = QToolButton()
        self._nothing = WrappedLabel(self.tr("Nothing waits. Pictures you ask for are drawn in this order."), "muted")
        self.messages = MessageBar()
        self._stack = QStackedLayout()
        self.header = QWidget()
        self._eta: float | None = None
        self._arrange()
        self._connect()
        self.show_paused(False)
        self.show_jobs([])

    def show_jobs(self, jobs: list[Job], eta: float | None = None) -> None:
        chosen = {index.data(JOB).id for index in self._view.selectedIndexes()}
        self._eta = eta
        self._items.show_jobs(jobs)
        self._view.lay_out_anew([(job.id, job.state, error_text(job)) for job in jobs])
        for job in chosen:
            row = self._items.row_of(job)
            if row >= 0:
                self._view.selectionModel().select(
                    self._items.index(row), self._view.selectionModel().SelectionFlag.Select
                )
        self._stack.setCurrentIndex(0 if jobs else 1)
        self._clear.setEnabled(any(job.state in FINISHED for job in jobs))
        self._summarise(jobs)

    def show_event(self, job: str, event: Event) -> None:
        self._items.show_event(job, event)

    def show_paused(self, paused: bool) -> None:
        self._pause.setChecked(paused)
        name_icon(self._pause, "play" if paused else "pause")
        self._theme.dress(self._pause)
        self._pause.setToolTip(self.tr("Go on with the queue") if paused else self.tr("Pause the queue"))
        self._pause.setAccessibleName(self._pause.toolTip())
        self._summarise(self._items.jobs())

    def jobs(self) -> list[Job]:
        return self._items.jobs()

    def _summarise(self, jobs: list[Job]) -> None:
        left = sum(job.state not in FINISHED for job in jobs)
        paused = [self.tr("Paused")] if self._pause.isChecked() else []
        count = [self.tr("%n job(s)", "", left)] if left else []
        eta = [duration(self._eta)] if left and self._eta else []
        number = [str(left)] if left else []
        # The last is short enough for every language; that the queue is paused is seen on the button beside it.
        ways = (paused + count + eta, paused + count, paused + number, paused, number)
        self._summary.say(*(" · ".join(way) for way in ways))

    def _selected(self) -> list[Job]:
        return [index.data(JOB) for index in self._view.selectedIndexes()]

    def _cancel_selected(self) -> None:
        ids = [job.id for job in self._selected() if job.state not in FINISHED]
        if ids:
            self.cancel_requested.emit(ids)

    def _remedy(self, job_id: str) -> None:
        self.retry_requested.emit(job_id)

    def _activate(self) -> None:
        """Return on a card: what stands still goes on, what waits is edited."""
        for job in self._selected():
            if job.state is JobState.PAUSED:
                self.resume_requested.emit(job.id)
            elif job.state in RETRYABLE:
                self.retry_requested.emit(job.id)
            elif job.state is JobState.QUEUED:
                self.edit_requested.emit([job])

    def _edit_selected(self) -> None:
        jobs = self._selected()
        if jobs and all(job.state in EDITABLE for job in jobs):
            self.edit_requested.emit(jobs)

    def _duplicate_selected(self) -> None:
        if jobs := self._selected():
            self.duplicate_requested.emit([job.id for job in jobs])

    def _menu(self, point: QPoint) -> None:
        """Of what was clicked, with everything that is selected with it; by keyboard of the current card."""
        index = self._view.indexAt(point)
        if not index.isValid():
            index = self._view.currentIndex()
            point = self._view.visualRect(index).center()
        if not index.isValid():
            return
        job: Job = index.data(JOB)
        selected = self._selected()
        jobs = selected if job in selected else [job]
        build(self, jobs, self._deeds()).popup(self._view.viewport().mapToGlobal(point))

    def _deeds(self) -> Deeds:
        return Deeds(
            pause=lambda job: self.pause_requested.emit(job.id),
            resume=lambda job: self.resume_requested.emit(job.id),
            retry=lambda job: self.retry_requested.emit(job.id),
            first=lambda job: self.move_requested.emit(job.id, 0),
            edit=self.edit_requested.emit,
            duplicate=lambda jobs: self.duplicate_requested.emit([job.id for job in jobs]),
            split=lambda job: self.split_requested.emit(job.id),
            use=lambda job: self.use_requested.emit(job.request),
            cancel=lambda jobs: self.cancel_requested.emit([job.id for job in jobs]),
        )

    def _connect(self) -> None:
        self._pause.clicked.connect(self.pause_all_requested)
        self._clear.clicked.connect(self.clear_requested)
        self._items.move_requested.connect(self.move_requested)
        self._cards.stop_requested.connect(lambda job: self.cancel_requested.emit([job]))
        self._cards.remedy_requested.connect(self._remedy)
        self._view.delete_pressed.connect(self._cancel_selected)
        self._view.edit_pressed.connect(self._edit_selected)
        self._view.duplicate_pressed.connect(self._duplicate_selected)
        self._view.activated.connect(lambda _: self._activate())
        self._view.customContextMenuRequested.connect(self._menu)

    def _arrange(self) -> None:
        self._pause.setCheckable(True)
        self._clear.setAccessibleName(self.tr("Clear finished jobs; their pictures stay"))
        self._clear.setToolTip(self._clear.accessibleName())
        name_icon(self._clear, "check")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._nothing.setContentsMargins(16, 4, 16, 8)
        line = QHBoxLayout(self.header)
        line.setContentsMargins(12, 0, 0, 0)
        line.setSpacing(2)
        line.addWidget(self._summary, 1)
        line.addWidget(self._pause)
        line.addWidget(self._clear)
        notes = QVBoxLayout()
        notes.setContentsMargins(8, 0, 8, 0)
        notes.addWidget(self.messages)
        self._stack.addWidget(self._view)
        self._stack.addWidget(self._nothing)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(0)
        column.addLayout(notes)
        column.addLayout(self._stack, 1)
