"""The stage: the canvas with its progress line, its zoom buttons, the easel's bar and the filmstrip."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from ...domain.job import Job
from ...protocol.messages import (
    Cancelled,
    Decoding,
    Event,
    Failed,
    Image,
    Loading,
    Paused,
    Preview,
    Started,
    Step,
)
from ..icons import name_icon
from ..pace import Pace
from ..pictures import from_rows
from ..theme import Theme
from ..widgets.amounts import duration, size, speed
from ..widgets.labels import ElidedLabel, Label
from ..widgets.message_bar import MessageBar
from .compare import ComparePane
from .easel import Easel
from .filmstrip import Filmstrip, Place
from .view import Canvas
from .welcome import Welcome

_SCALE = 1000


class Stage(QWidget):
    """Follows one job at a time: the one that began last."""

    full_screen_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("canvasStage")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.canvas = Canvas(theme)
        self.easel = Easel(self.canvas, theme)
        self.comparison = ComparePane(theme)
        self._stack = QStackedLayout()
        self.welcome = Welcome()
        self.messages = MessageBar()
        self._filmstrip = Filmstrip(theme)
        self._progress = QProgressBar()
        self._phase = ElidedLabel("", "muted")
        self._zoom = Label("", "small")
        self._job = ""
        self._batch = ""
        self._wished: tuple[int, int] = (0, 0)
        self._pace = Pace()
        self._elsewhere = False
        self._shown: Place | None = None
        self._tools = self._tool_row()
        self._arrange()
        self.canvas.zoom_changed.connect(lambda scale: self._zoom.setText(f"{round(scale * 100)} %"))
        self.canvas.drop_hinted.connect(lambda shown: self._update_welcome(hidden=shown))
        self._filmstrip.picture_chosen.connect(self._look_back)
        self.easel.source_wanted.connect(self.show_picture)
        self.comparison.closed.connect(self._end_comparison)
        self.show_idle()

    def follow(self, job: Job) -> None:
        """From now on this job's steps are shown."""
        self._job = job.id
        self._elsewhere = self.easel.is_in_use()
        request = job.request
        self._wished = (request.width or 0, request.height or 0)
        self._pace = Pace(count=request.count)
        self._progress.setRange(0, 0)
        self._progress.show()
        self._phase.setText(self.tr("Waiting for the engine…"))
        if job.id != self._batch:
            self._batch = job.id
            self._filmstrip.begin()

    def following(self) -> str:
        return self._job

    def shown(self) -> Place | None:
        """Where the picture on the canvas was drawn; None for one that is not finished, or not of this library."""
        return self._shown

    def _mark(self, place: Place | None) -> None:
        self._shown = place
        self._filmstrip.mark(place)

    def looks_elsewhere(self) -> bool:
        """Whether the artist looks at another picture than the one being drawn."""
        return self._elsewhere

    def show_event(self, event: Event) -> None:
        """What the provider says of the job being followed."""
        match event:
            case Loading(phase=phase, done=done, total=total):
                self._show_phase(phase, done, total)
            case Started() | Step():
                self._pace = self._pace.after(event)
                self._show_steps()
            case Preview():
                self._show_preview(event)
            case Decoding():
                self._phase.setText(self.tr("Decoding…"))
            case Image():
                self._show_image(event)
            case Failed() | Cancelled() | Paused():
                self.show_idle()

    def show_answer(self, job: str, pictures: dict[Place, QImage]) -> None:
        """Pictures that were there already when a job asked for them; the last is looked at."""
        self._batch = job
        self._filmstrip.begin()
        for place, picture in pictures.items():
            self._filmstrip.add(picture, place)
        newest, last = list(pictures.items())[-1]
        self._elsewhere = False
        self.canvas.show_picture(last, fade=True)
        self._mark(newest)
        self._update_welcome()
        self.show_idle(self.tr("Already drawn"))

    def show_idle(self, said: str = "") -> None:
        """Nothing is being drawn."""
        self._job = ""
        self._progress.setRange(0, _SCALE)
        self._progress.setValue(_SCALE if said else 0)
        self._progress.hide()
        self._phase.setText(said)

    def show_picture(self, image: QImage, place: Place | None = None) -> None:
        """A picture chosen elsewhere, and where it was drawn; the one being drawn is not put over it."""
        self._elsewhere = bool(self._job)
        self._end_comparison()
        self._mark(place)
        self.canvas.show_picture(image)
        self._update_welcome()

    def _look_back(self, image: QImage, place: Place, newest: bool) -> None:
        """At a picture of this batch; from the newest one on, what is being drawn is followed again."""
        self.show_picture(image, place)
        self._elsewhere = self._elsewhere and not newest

    def show_comparison(self, before: QImage, after: QImage, names: tuple[str, str]) -> None:
        """Two pictures in the place of the canvas, until another one is looked at."""
        self._stack.setCurrentWidget(self.comparison)
        self.easel.bar.hide()
        self.comparison.show_pictures(before, after, names)

    def _end_comparison(self) -> None:
        if self._stack.currentWidget() is self.comparison:
            self._stack.setCurrentWidget(self.canvas)
            self.easel.bar.setVisible(not self.easel.source().isNull())
            self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_source(self, name: str, image: QImage, mask: QImage | None = None) -> None:
        """The picture to start from and its mask; null takes it away, from the canvas too when it is what is seen."""
        before = self.easel.source()
        if not image.isNull():
            self.canvas.show_picture(image, fade=before.isNull())
            self._mark(None)
        elif not before.isNull() and self.canvas.picture().cacheKey() == before.cacheKey():
            self.canvas.show_picture(QImage())
        self.easel.show_source(name, image, mask)
        self._update_welcome()

    def show_reading(self, busy: bool) -> None:
        """A dropped picture is being read, or has been."""
        if not self._job:
            self._phase.setText(self.tr("Reading the picture…") if busy else "")

    def _show_phase(self, phase: str, done: int, total: int) -> None:
        words = {
            "loading model": self.tr("Loading model…"),
            "encoding prompt": self.tr("Reading the prompt…"),
            "encoding image": self.tr("Reading the picture…"),
            "enlarging": self.tr("Making it larger…"),
        }
        self._progress.setRange(0, _SCALE if total else 0)
        self._progress.setValue(round(_SCALE * done / total) if total else 0)
        amount = f" {size(done)} / {size(total)}" if total else ""
        self._phase.setText(words.get(phase, phase) + amount)

    def _show_steps(self) -> None:
        pace = self._pace
        self._progress.setRange(0, _SCALE)
        self._progress.setValue(round(_SCALE * pace.share))
        parts = [self.tr("Step {0} of {1}").format(pace.step, pace.steps)]
        short = [f"{pace.step}/{pace.steps}"]
        if pace.count > 1:
            parts.insert(0, self.tr("Picture {0} of {1}").format(pace.index + 1, pace.count))
        left = [] if not pace.left else [self.tr("{0} left").format(duration(pace.left))]
        rate = [speed(pace.per_second)] if pace.per_second else []
        ways = (parts + rate + left, parts + left, parts[-1:] + left, short + left, short)
        self._phase.say(*(" · ".join(way) for way in ways))
        self._progress.setAccessibleDescription(self._phase.text())

    def _show_preview(self, preview: Preview) -> None:
        if self._elsewhere or self.easel.is_painting():
            return
        image = from_rows(preview.width, preview.height, preview.pixels)
        self.canvas.show_picture(image, *self._wished)
        self._mark(None)
        self._update_welcome()

    def _show_image(self, event: Image) -> None:
        image = from_rows(event.width, event.height, event.pixels)
        place = (event.job, event.index)
        self._filmstrip.add(image, place)
        if not self._elsewhere and not self.easel.is_painting():
            self.canvas.show_picture(image, fade=True)
            self._mark(place)
        self._update_welcome()
        if event.index + 1 >= self._pace.count:
            self.show_idle(self.tr("Done in {0}").format(duration(event.seconds)))

    def _update_welcome(self, *, hidden: bool = False) -> None:
        self.welcome.setVisible(self.canvas.picture().isNull() and not hidden)
        self._tools.setEnabled(not self.canvas.picture().isNull())

    def _tool_row(self) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        deeds = (
            ("zoom-out", self.tr("Zoom out"), lambda: self.canvas.zoom_by(1 / 1.25)),
            ("zoom-in", self.tr("Zoom in"), lambda: self.canvas.zoom_by(1.25)),
            ("fit", self.tr("Fit to the window"), self.canvas.fit),
            ("expand", self.tr("Full screen"), self.full_screen_requested.emit),
        )
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._zoom.setMinimumWidth(48)
        for place, (icon, name, deed) in enumerate(deeds):
            button = QToolButton()
            button.setAccessibleName(name)
            button.setToolTip(name)
            name_icon(button, icon, "muted")
            button.clicked.connect(lambda _=False, deed=deed: deed())
            line.addWidget(button)
            if place == 0:
                line.addWidget(self._zoom)
        return row

    def _arrange(self) -> None:
        self._progress.setObjectName("jobProgress")
        self._progress.setAccessibleName(self.tr("Progress"))
        self._progress.setTextVisible(False)
        kept = self._progress.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self._progress.setSizePolicy(kept)
        inner = QVBoxLayout(self.canvas)
        inner.addWidget(self.welcome)
        line = QHBoxLayout()
        line.setContentsMargins(16, 4, 12, 4)
        line.setSpacing(16)
        line.addWidget(self._phase, 1)
        line.addWidget(self._tools)
        notes = QVBoxLayout()
        notes.setContentsMargins(16, 8, 16, 0)
        notes.addWidget(self.messages)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(notes)
        column.addWidget(self.easel.bar)
        self._stack.addWidget(self.canvas)
        self._stack.addWidget(self.comparison)
        column.addLayout(self._stack, 1)
        column.addWidget(self._filmstrip)
        column.addWidget(self._progress)
        column.addLayout(line)
