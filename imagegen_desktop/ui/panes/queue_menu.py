"""What can be done with jobs of the queue, as the entries of a menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from ...domain.job import ACTIVE, FINISHED, Job, JobState

RETRYABLE = (JobState.FAILED, JobState.CANCELLED, JobState.PARKED, JobState.UNCERTAIN)
EDITABLE = (JobState.QUEUED, JobState.PAUSED, JobState.PARKED, JobState.FAILED, JobState.CANCELLED)
SPLITTABLE = (JobState.QUEUED, JobState.PAUSED)


@dataclass(frozen=True, kw_only=True)
class Deeds:
    """What the menu's entries do."""

    pause: Callable[[Job], object]
    resume: Callable[[Job], object]
    retry: Callable[[Job], object]
    first: Callable[[Job], object]
    edit: Callable[[list[Job]], object]
    duplicate: Callable[[list[Job]], object]
    split: Callable[[Job], object]
    use: Callable[[Job], object]
    cancel: Callable[[list[Job]], object]


def build(parent: QWidget, jobs: list[Job], deeds: Deeds) -> QMenu:
    """For the jobs that are selected; only what is possible with them."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if len(jobs) == 1:
        _add_single(menu, jobs[0], deeds)
    if all(job.state in EDITABLE for job in jobs):
        _add(menu, menu.tr("Edit…"), lambda: deeds.edit(jobs), "F2")
    _add(menu, menu.tr("Duplicate"), lambda: deeds.duplicate(jobs), "Ctrl+D")
    if len(jobs) == 1:
        job = jobs[0]
        if job.state in SPLITTABLE and job.request.count - job.images_done > 1:
            _add(menu, menu.tr("Split into single pictures"), lambda: deeds.split(job))
        _add(menu, menu.tr("Use all settings"), lambda: deeds.use(job))
    unfinished = [job for job in jobs if job.state not in FINISHED]
    if unfinished:
        menu.addSeparator()
        _add(menu, menu.tr("Cancel"), lambda: deeds.cancel(unfinished), "Del")
    return menu


def _add_single(menu: QMenu, job: Job, deeds: Deeds) -> None:
    if job.state is JobState.PAUSED:
        _add(menu, menu.tr("Resume"), lambda: deeds.resume(job))
    elif job.state is JobState.QUEUED or job.state in ACTIVE:
        _add(menu, menu.tr("Pause"), lambda: deeds.pause(job))
    if job.state in RETRYABLE:
        _add(menu, menu.tr("Retry"), lambda: deeds.retry(job))
    if job.state is JobState.QUEUED:
        _add(menu, menu.tr("Draw next"), lambda: deeds.first(job))


def _add(menu: QMenu, text: str, deed: Callable[[], object], keys: str = "") -> None:
    action = menu.addAction(text)
    action.triggered.connect(lambda _=False: deed())
    if keys:
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
