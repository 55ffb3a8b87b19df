"""The contact sheet: many seeds after a few steps, side by side; the good ones are chosen and finished."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ...domain.job import Job, JobState
from ...domain.request import MAX_STEPS
from ..widgets.fields import WholeNumber, captioned
from ..widgets.labels import Label, WrappedLabel
from ..widgets.message_bar import MessageBar

_TILE = 144
_SEEDS = 12
_MOST_SEEDS = 200
#: After this share of the steps a picture shows what it will become.
_SHARE = 0.25
_JOB = Qt.ItemDataRole.UserRole
_STATE = Qt.ItemDataRole.UserRole + 1


class SheetDialog(QDialog):
    """Wishes go out as signals; `show_jobs` and `show_preview` tell how far the sheet is."""

    draw_requested = Signal(int, int)
    finish_requested = Signal(object)
    discard_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sheetDialog")
        self.setWindowTitle(self.tr("Contact sheet"))
        self.resize(768, 640)
        self._tiles: dict[str, QListWidgetItem] = {}
        self._pictured: set[str] = set()
        self._touched = False
        self._seeds = WholeNumber("sheetSeedsSpin", 2, _MOST_SEEDS)
        self._until = WholeNumber("sheetUntilSpin", 1, MAX_STEPS)
        self._draw = QPushButton(self.tr("Draw the sheet"))
        self._view = QListWidget()
        self._nothing = WrappedLabel("", "muted")
        self._pages = QStackedLayout()
        self._said = Label("", "muted")
        self._finish = QPushButton(self.tr("Finish the chosen ones"))
        self._discard = QPushButton(self.tr("Discard the others"))
        self.messages = MessageBar()
        self._prepare()
        self._arrange()
        self._connect()
        self._update()

    def show_steps(self, steps: int) -> None:
        """How many steps a whole picture has; proposes where to stop until the artist says otherwise."""
        self._until.setMaximum(max(1, steps - 1))
        self._until.setSuffix(self.tr(" of {0}").format(steps) if steps else "")
        if not self._touched:
            self._until.setValue(max(1, round(steps * _SHARE)))
            self._touched = False

    def show_jobs(self, jobs: list[Job]) -> None:
        """The pictures of the sheet; those that are finished or discarded leave it."""
        there = {job.id for job in jobs}
        for gone in self._tiles.keys() - there:
            self._view.takeItem(self._view.row(self._tiles.pop(gone)))
            self._pictured.discard(gone)
        for job in jobs:
            tile = self._tiles.get(job.id) or self._added(job)
            tile.setData(_STATE, job.state)
            seed = job.request.seed or 0
            waits = job.state is not JobState.PAUSED
            tile.setText(self.tr("Seed {0} …").format(seed) if waits else self.tr("Seed {0}").format(seed))
        self._update()

    def show_preview(self, job: str, image: QImage) -> None:
        tile = self._tiles.get(job)
        if tile is not None and not image.isNull():
            tile.setIcon(self._icon(image))
            self._pictured.add(job)

    def pictured(self) -> frozenset[str]:
        """The jobs whose look is shown already."""
        return frozenset(self._pictured)

    def _stress(self, main: QPushButton) -> None:
        """What is to be done next: the sheet first, then what is chosen of it."""
        for button in (self._draw, self._finish):
            kind = "main" if button is main else ""
            if button.property("kind") != kind:
                button.setProperty("kind", kind)
                button.style().unpolish(button)
                button.style().polish(button)

    def _added(self, job: Job) -> QListWidgetItem:
        tile = QListWidgetItem(self._icon(QImage()), "")
        tile.setData(_JOB, job.id)
        self._view.addItem(tile)
        self._tiles[job.id] = tile
        return tile

    def _icon(self, image: QImage) -> QIcon:
        """The same when it is chosen: a tint over a picture lies about its colours."""
        icon, picture = QIcon(), self._fitted(image)
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            icon.addPixmap(picture, mode)
        return icon

    def _fitted(self, image: QImage) -> QPixmap:
        """In the middle of a square, sharp on every screen; what it leaves free shows whether it is chosen."""
        scale = self.devicePixelRatioF()
        side = round(_TILE * scale)
        square = QPixmap(side, side)
        square.fill(Qt.GlobalColor.transparent)
        if not image.isNull():
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            small = image.scaled(side, side, keep, smooth)
            painter = QPainter(square)
            painter.drawImage((side - small.width()) // 2, (side - small.height()) // 2, small)
            painter.end()
        square.setDevicePixelRatio(scale)
        return square

    def _chosen(self) -> list[str]:
        """Those that wait at their step; the others cannot be finished yet."""
        tiles = self._view.selectedItems()
        return [tile.data(_JOB) for tile in tiles if tile.data(_STATE) == JobState.PAUSED]

    def _update(self) -> None:
        chosen, all_ = len(self._chosen()), len(self._tiles)
        waiting = sum(tile.data(_STATE) == JobState.PAUSED for tile in self._tiles.values())
        self._pages.setCurrentIndex(0 if all_ else 1)
        self._finish.setEnabled(chosen > 0)
        self._stress(self._finish if self._tiles else self._draw)
        self._discard.setEnabled(all_ > 0)
        self._discard.setText(self.tr("Discard the others") if chosen else self.tr("Discard all"))
        self._discard.setAccessibleName(self._discard.text())
        said = self.tr("{0} of {1} are ready, {2} chosen").format(waiting, all_, chosen)
        self._said.setText(said if all_ else "")

    def _discard_others(self) -> None:
        chosen = set(self._chosen())
        self.discard_requested.emit([job for job in self._tiles if job not in chosen])

    def _connect(self) -> None:
        self._draw.clicked.connect(lambda: self.draw_requested.emit(self._seeds.value(), self._until.value()))
        self._until.lineEdit().textEdited.connect(lambda _: setattr(self, "_touched", True))
        self._view.itemSelectionChanged.connect(self._update)
        self._finish.clicked.connect(lambda: self.finish_requested.emit(self._chosen()))
        self._discard.clicked.connect(self._discard_others)

    def _prepare(self) -> None:
        self._seeds.setValue(_SEEDS)
        self._draw.setObjectName("drawSheetButton")
        self._finish.setObjectName("finishSheetButton")
        self._discard.setObjectName("discardSheetButton")
        self._draw.setAutoDefault(False)
        self._discard.setAutoDefault(False)
        for button in (self._draw, self._finish):
            button.setAccessibleName(button.text())
        self._view.setObjectName("sheetView")
        self._view.setAccessibleName(self.tr("Pictures of the sheet"))
        self._view.setViewMode(QListView.ViewMode.IconMode)
        self._view.setIconSize(QSize(_TILE, _TILE))
        self._view.setResizeMode(QListView.ResizeMode.Adjust)
        self._view.setMovement(QListView.Movement.Static)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        self._view.setUniformItemSizes(True)
        self._view.setSpacing(4)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        what = self.tr("Draws many seeds of the prompt for a few steps. Choose the good ones; only those are finished.")
        self._nothing.setText(what)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(captioned(self.tr("Pictures"), self._seeds))
        top.addWidget(captioned(self.tr("Stop after step"), self._until))
        top.addStretch()
        top.addWidget(self._draw, 0, Qt.AlignmentFlag.AlignBottom)
        self._pages.addWidget(self._view)
        self._pages.addWidget(self._nothing)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self._said, 1)
        bottom.addWidget(self._finish)
        bottom.addWidget(self._discard)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addLayout(top)
        column.addLayout(self._pages, 1)
        column.addWidget(self.messages)
        column.addLayout(bottom)
