"""Watching: the queue and the picture being drawn, as providers tell of them."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from ..domain.errors import Problem
from ..domain.image import GeneratedImage
from ..domain.job import ACTIVE, FINISHED, Job, JobState
from ..protocol.messages import Event, Image, Loading, Preview, Started, Step
from ..services.assemble import Parts
from ..services.outlook import seconds_left
from .bridge import Bridge
from .canvas.filmstrip import Place
from .latest import Latest
from .main_window import MainWindow
from .memory import WindowMemory
from .pictures import decoded, shrinks, shrunk
from .queueing import Queueing

_READ_ONE_BY_ONE = 200
_UNDER_WAY = (Loading, Step, Preview)


class Watching(QObject):
    """The queue and the picture being drawn: what providers say, to the panes that show it."""

    def __init__(
        self, window: MainWindow, parts: Parts, bridge: Bridge, memory: WindowMemory, queueing: Queueing
    ) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._bridge = bridge
        self._memory = memory
        self._queueing = queueing
        self._stage = window.panes.stage
        self._queue = window.panes.queue
        self._jobs: dict[str, Job] = {}
        self._list = Latest(bridge)
        self._early: dict[str, list[Event]] = {}
        self._began = False
        self._known: list[Job] = []
        self._changed: set[str] | None = None
        self._noting = threading.Lock()

    def load(self) -> None:
        """Shows the queue as it is: all of it the first time, then what was noted as changed."""
        self._list.ask(self._ask, lambda found: self._show_jobs(*found))

    def note(self, ids: tuple[str, ...]) -> None:
        """These jobs have changed; without any, all may have."""
        with self._noting:
            self._changed = {*self._changed, *ids} if ids and self._changed is not None else None

    def _ask(self) -> tuple[list[Job], float | None]:
        """In a pool thread, one at a time."""
        with self._noting:
            changed, self._changed = self._changed, set()
        queue = self._parts.queue
        whole = changed is None or len(changed) > _READ_ONE_BY_ONE
        try:
            self._known = queue.jobs() if whole else queue.jobs_after(self._known, changed or ())
        except Problem:
            self.note(())
            raise
        return self._known, seconds_left(self._known, self._parts.forecast, self._parts.providers)

    def begin(self) -> None:
        """At start: what a dead process left is queued again, what we paused at the last closing is told."""
        self._bridge.ask(self._parts.begin, lambda _: self._begin_work())

    def remember_running(self) -> None:
        """Before closing: which jobs are being paused, for the next start to say so."""
        self._memory.keep_paused_jobs(self._parts.runner.stop())

    def cancel(self) -> None:
        """Cancels the job on the stage, else what runs, else what would run next."""
        running = [job.id for job in self._jobs.values() if job.state in ACTIVE]
        waiting = [job.id for job in self._jobs.values() if job.state is JobState.QUEUED]
        wanted = [self._stage.following()] if self._stage.following() in running else running or waiting[:1]
        if wanted:
            self._queueing.do(self._parts.queue.cancel, wanted)

    def _begin_work(self) -> None:
        self._began = True
        self.employ()
        paused = self._memory.paused_jobs()
        self._memory.keep_paused_jobs([])
        if paused:
            self._bridge.ask(self._parts.queue.jobs, lambda jobs: self._tell_paused(paused, jobs))
        self.load()

    def employ(self) -> None:
        """Enough workers that no provider waits for another. A local job almost at its end lets one more begin, and
        an engine may find more GPUs when it starts."""
        if self._began:
            offers = [provider.capabilities() for provider in self._parts.providers.values()]
            places = sum(offer.places * (2 if offer.local else 1) for offer in offers)
            self._bridge.start_workers(self._parts.runner, places)

    def _tell_paused(self, paused: list[str], jobs: list[Job]) -> None:
        ids = [job.id for job in jobs if job.id in paused and job.state is JobState.PAUSED]
        if ids:
            said = self.tr("%n job(s) paused when the window closed.", "", len(ids))
            go_on = (self.tr("Go on"), lambda: self._go_on(ids))
            self._queue.messages.show_message("info", said, "", go_on, about="paused")

    def _go_on(self, ids: list[str]) -> None:
        for job in ids:
            self._queueing.do(self._parts.queue.resume, job)

    def _show_jobs(self, jobs: list[Job], eta: float | None) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._queue.show_jobs(jobs, eta)
        running = any(job.state in ACTIVE or job.state is JobState.QUEUED for job in jobs)
        self._window.panes.prompt.show_busy(running)
        self._window.actions_["cancel"].setEnabled(running)
        followed = self._jobs.get(self._stage.following())
        # A job that waits with a trouble is not being drawn any more.
        if self._stage.following() and (followed is None or followed.state in FINISHED or followed.error is not None):
            self._stage.show_idle()

    def hear(self, job_id: str, event: Event) -> None:
        """What a provider says. Of a job we have not met yet nothing is lost: it is shown once we have."""
        self._queue.show_event(job_id, event)
        if job_id in self._early:
            self._early[job_id].append(event)
        elif job_id in self._jobs:
            self._show(self._jobs[job_id], event)
        else:
            self._early[job_id] = [event]
            self._bridge.ask(lambda: self._parts.queue.get(job_id), self._meet, lambda _: self._forget(job_id))

    def _meet(self, job: Job) -> None:
        self._jobs[job.id] = job
        for event in self._early.pop(job.id, []):
            self._show(job, event)

    def _forget(self, job_id: str) -> None:
        self._early.pop(job_id, None)

    def _show(self, job: Job, event: Event) -> None:
        """A job that starts is followed at once; one that only prepares, when nothing else is."""
        following = self._stage.following()
        if following != job.id and (isinstance(event, Started) or (not following and isinstance(event, _UNDER_WAY))):
            self._stage.follow(job)
        if self._stage.following() == job.id and isinstance(event, Image) and shrinks(event):
            # A very large picture would hold the window for half a second: it is made smaller elsewhere first.
            self._bridge.ask(lambda: shrunk(event), self._stage.show_event)
        elif self._stage.following() == job.id:
            self._stage.show_event(event)
        if isinstance(event, Image) and not self._window.isActiveWindow():
            QApplication.alert(self._window)

    def show_answered(self, job_id: str, ids: tuple[str, ...]) -> None:
        """What a job asked for had been drawn before: it is shown as if it had been drawn now."""
        gallery = self._parts.gallery

        def ask() -> tuple[dict[Place, QImage], GeneratedImage]:
            images = [gallery.get(image) for image in ids]
            pictures = {(image.job, image.index): decoded(gallery.file(image)) for image in images}
            return {place: picture for place, picture in pictures.items() if not picture.isNull()}, images[-1]

        self._bridge.ask(ask, lambda found: self._show_answer(job_id, *found), lambda problem: None)

    def _show_answer(self, job_id: str, pictures: dict[Place, QImage], newest: GeneratedImage) -> None:
        if pictures and not self._stage.following():
            self._stage.show_answer(job_id, pictures)
            self._window.panes.details.show_image(newest)
