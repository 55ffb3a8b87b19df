"""The contact sheet: opened from the making pane, drawn by the queue, finished as chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QImage

from ..domain.errors import BadInput, Problem
from ..domain.job import Job
from ..protocol.messages import Event, Preview
from ..services.assemble import Parts
from .bridge import Bridge
from .creating import Creating
from .latest import Latest
from .main_window import MainWindow
from .pictures import decoded, from_rows

if TYPE_CHECKING:
    from .dialogs.sheet import SheetDialog

_LOAD_MS = 100


class Sheeting(QObject):
    """One sheet is open at a time; what it shows is the queue's, so closing it loses nothing."""

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge, creating: Creating) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._bridge = bridge
        self._creating = creating
        self._dialog: SheetDialog | None = None
        self._list = Latest(bridge)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_LOAD_MS)
        self._soon.timeout.connect(self._load)

    def show(self) -> SheetDialog:
        from .dialogs.sheet import SheetDialog

        if self._dialog is None:
            dialog = self._dialog = SheetDialog(self._window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.finished.connect(lambda _: self._closed())
            dialog.draw_requested.connect(self._draw)
            dialog.finish_requested.connect(lambda ids: self._do(lambda: self._parts.sheets.finish(ids)))
            dialog.discard_requested.connect(lambda ids: self._do(lambda: self._parts.sheets.discard(ids)))
        self._dialog.show()
        self._dialog.raise_()
        self.look()
        self._load()
        return self._dialog

    def look(self) -> None:
        """How many steps a whole picture of what the panes say now has."""
        if self._dialog is None:
            return
        try:
            request = self._creating.request()
        except BadInput:
            return
        if request.prompt.strip() or request.image is not None:
            complete, draft = self._parts.compose.complete, self._parts.draft
            self._bridge.ask(lambda: complete(draft.complete(request)).steps or 0, self._show_steps, lambda _: None)

    def jobs_changed(self) -> None:
        if self._dialog is not None and not self._soon.isActive():
            self._soon.start()

    def hear(self, job: str, event: Event) -> None:
        if self._dialog is not None and isinstance(event, Preview):
            self._dialog.show_preview(job, from_rows(event.width, event.height, event.pixels))

    def _draw(self, seeds: int, until: int) -> None:
        try:
            request = self._creating.request()
        except BadInput as problem:
            self._refuse(problem)
            return
        sheets, draft = self._parts.sheets, self._parts.draft
        self._do(lambda: sheets.begin(draft.complete(request), seeds, until))

    def _do(self, deed: object) -> None:
        assert callable(deed)
        if self._dialog is not None:
            self._dialog.messages.clear()
        self._bridge.ask(deed, None, self._refuse, in_turn=True)

    def _load(self) -> None:
        if self._dialog is None:
            return
        known = self._dialog.pictured()

        def ask() -> tuple[list[Job], dict[str, QImage]]:
            jobs = self._parts.sheets.jobs()
            places = {job.id: self._parts.sheets.preview_of(job.id) for job in jobs if job.id not in known}
            return jobs, {job: decoded(place) for job, place in places.items() if place is not None}

        self._list.ask(ask, lambda found: self._show(*found))

    def _show(self, jobs: list[Job], pictures: dict[str, QImage]) -> None:
        if self._dialog is not None:
            self._dialog.show_jobs(jobs)
            for job, picture in pictures.items():
                self._dialog.show_preview(job, picture)

    def _show_steps(self, steps: int) -> None:
        if self._dialog is not None:
            self._dialog.show_steps(steps)

    def _refuse(self, problem: Problem) -> None:
        if self._dialog is not None:
            self._dialog.messages.show_message("error", problem.message, problem.advice)

    def _closed(self) -> None:
        self._dialog = None
