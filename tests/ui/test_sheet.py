"""The contact sheet: many seeds for a few steps, of which the chosen ones are finished."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QPlainTextEdit, QPushButton, QSpinBox, QToolButton

from imagegen_desktop.domain.job import JobState
from tests.ui.conftest import Studio


def open_sheet(studio: Studio, seeds: int, until: int) -> QListWidget:
    studio.find(QPlainTextEdit, "promptEdit").setPlainText("hills under a low sun")
    studio.find(QSpinBox, "stepsSpin").setValue(8)
    button = studio.find(QToolButton, "sheetButton")
    studio.until(button.isEnabled)
    studio.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    studio.until(lambda: studio.find(QSpinBox, "sheetUntilSpin").maximum() == 7)
    studio.find(QSpinBox, "sheetSeedsSpin").setValue(seeds)
    studio.find(QSpinBox, "sheetUntilSpin").setValue(until)
    return studio.find(QListWidget, "sheetView")


def click(studio: Studio, name: str) -> None:
    studio.qtbot.mouseClick(studio.find(QPushButton, name), Qt.MouseButton.LeftButton)


def ready(studio: Studio) -> list[str]:
    return [job.id for job in studio.parts.sheets.jobs() if job.state is JobState.PAUSED]


def test_only_the_chosen_pictures_of_a_sheet_are_finished(studio: Studio) -> None:
    view = open_sheet(studio, seeds=5, until=3)
    click(studio, "drawSheetButton")
    studio.until(lambda: view.count() == 5 and len(ready(studio)) == 5)
    assert studio.parts.gallery.count() == 0
    jobs = studio.parts.sheets.jobs()
    finish = studio.find(QPushButton, "finishSheetButton")
    assert not finish.isEnabled()
    for row in (1, 3):
        studio.until(lambda row=row: "…" not in view.item(row).text())  # type: ignore[misc]
        view.item(row).setSelected(True)
    assert finish.isEnabled()
    click(studio, "finishSheetButton")
    studio.until(lambda: studio.parts.gallery.count() == 2)
    seeds = {image.request.seed for image in studio.parts.gallery.page()}
    assert seeds == {jobs[1].request.seed, jobs[3].request.seed}
    studio.until(lambda: view.count() == 3)
    click(studio, "discardSheetButton")
    studio.until(lambda: view.count() == 0)
    assert {studio.parts.queue.get(jobs[row].id).state for row in (0, 2, 4)} == {JobState.CANCELLED}
    assert studio.parts.gallery.count() == 2


def test_a_sheet_is_there_again_when_it_is_opened_again(studio: Studio) -> None:
    view = open_sheet(studio, seeds=3, until=2)
    click(studio, "drawSheetButton")
    studio.until(lambda: len(ready(studio)) == 3 and view.count() == 3)
    studio.find(QListWidget, "sheetView").window().close()
    studio.until(lambda: studio.window.findChild(QListWidget, "sheetView") is None)
    again = open_sheet(studio, seeds=3, until=2)
    studio.until(lambda: again.count() == 3)


def test_going_on_with_a_picture_of_a_sheet_in_the_queue_finishes_it(studio: Studio) -> None:
    open_sheet(studio, seeds=2, until=2)
    click(studio, "drawSheetButton")
    studio.until(lambda: len(ready(studio)) == 2)
    studio.window.panes.queue.resume_requested.emit(ready(studio)[0])
    studio.until(lambda: studio.parts.gallery.count() == 1)
