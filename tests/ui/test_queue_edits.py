"""The queue's rows: duplicated, split, edited several at once, drawn first; what was set aside has its remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QDialog, QListView, QMenu, QPlainTextEdit, QSpinBox
from pytestqt.qtbot import QtBot

from imagegen_desktop.domain.job import Job, JobError, JobState
from imagegen_desktop.ui.panes.queue import QueuePane
from imagegen_desktop.ui.theme import Theme
from tests.ui.conftest import Studio
from tests.ui.panes.test_queue import job
from tests.ui.test_window import draw


@pytest.fixture
def waiting(studio: Studio) -> Studio:
    """Two jobs wait in a queue that stands still."""
    studio.parts.queue.pause_all()
    draw(studio, "hills", steps=3, count=3)
    draw(studio, "a lake", steps=5, count=1)
    studio.until(lambda: len(rows(studio)) == 2)
    return studio


def rows(studio: Studio) -> list[Job]:
    return studio.window.panes.queue.jobs()


def choose_entry(studio: Studio, row: int, text: str) -> None:
    """From the context menu, called up by the keyboard's own way on that row."""
    view = studio.find(QListView, "queueView")
    view.setCurrentIndex(view.model().index(row, 0))
    view.customContextMenuRequested.emit(QPoint(-1, -1))
    menu = next(menu for menu in studio.window.panes.queue.findChildren(QMenu) if menu.isVisible())
    next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()


def test_a_job_is_duplicated_and_undone(waiting: Studio) -> None:
    choose_entry(waiting, 0, "Duplicate")
    waiting.until(lambda: [one.request.prompt for one in rows(waiting)] == ["hills", "a lake", "hills"])
    waiting.until(waiting.window.actions_["undo"].isEnabled)
    waiting.window.actions_["undo"].trigger()
    waiting.until(lambda: len(rows(waiting)) == 2)


def test_a_batch_is_split_into_single_pictures(waiting: Studio) -> None:
    choose_entry(waiting, 0, "Split into single pictures")
    waiting.until(lambda: [one.request.count for one in rows(waiting)] == [1, 1, 1, 1])


def test_a_job_is_drawn_next(waiting: Studio) -> None:
    choose_entry(waiting, 1, "Draw next")
    waiting.until(lambda: [one.request.prompt for one in rows(waiting)] == ["a lake", "hills"])


def test_several_jobs_are_edited_at_once(waiting: Studio) -> None:
    view = waiting.find(QAbstractItemView, "queueView")
    view.selectAll()
    waiting.qtbot.keyClick(view, Qt.Key.Key_F2)
    assert waiting.find(QDialog, "editJobsDialog").windowTitle() == "Edit 2 jobs"
    assert waiting.find(QPlainTextEdit, "editPromptEdit").toPlainText() == ""
    assert waiting.find(QSpinBox, "editStepsSpin").text() == "Unchanged"
    waiting.find(QSpinBox, "editStepsSpin").setValue(9)
    waiting.qtbot.mouseClick(waiting.find(QAbstractButton, "saveEditButton"), Qt.MouseButton.LeftButton)
    waiting.until(lambda: [one.request.steps for one in rows(waiting)] == [9, 9])
    assert [one.request.prompt for one in rows(waiting)] == ["hills", "a lake"]
    assert [one.request.count for one in rows(waiting)] == [3, 1]
    waiting.until(waiting.window.actions_["undo"].isEnabled)
    waiting.window.actions_["undo"].trigger()
    waiting.until(lambda: [one.request.steps for one in rows(waiting)] == [3, 5])


def test_what_is_not_possible_is_said_in_the_form(waiting: Studio) -> None:
    choose_entry(waiting, 1, "Edit…")
    dialog = waiting.find(QDialog, "editJobsDialog")
    waiting.find(QSpinBox, "editWidthSpin").setValue(61)
    waiting.qtbot.mouseClick(waiting.find(QAbstractButton, "saveEditButton"), Qt.MouseButton.LeftButton)
    waiting.until(lambda: "width" in dialog.messages.text())
    dialog.close()


def test_generate_now_makes_the_running_batch_wait(studio: Studio) -> None:
    studio.provider.hold()
    draw(studio, "hills", steps=4, count=2)
    studio.until(lambda: any(one.state is JobState.RUNNING for one in rows(studio)))
    studio.find(QPlainTextEdit, "promptEdit").setPlainText("a lake at once")
    studio.window.actions_["generateNow"].trigger()
    studio.until(lambda: studio.provider.assignments[-1].job.request.prompt == "a lake at once")
    studio.provider.release()
    studio.until(lambda: {one.state for one in rows(studio)} == {JobState.DONE})
    assert [one.job.request.prompt for one in studio.provider.assignments] == ["hills", "a lake at once", "hills"]


@pytest.mark.parametrize("state", [JobState.PARKED, JobState.UNCERTAIN])
def test_what_was_set_aside_can_be_retried_or_cancelled(qtbot: QtBot, theme: Theme, state: JobState) -> None:
    pane = QueuePane(theme)
    qtbot.addWidget(pane)
    pane.resize(300, 400)
    pane.show()
    error = JobError(kind="uncertain", message="No answer came.", advice="It may have been charged.")
    pane.show_jobs([replace(job("a", state), error=error)])
    view = pane.findChild(QAbstractItemView, "queueView")
    card = view.visualRect(view.model().index(0, 0))
    for across, signal, told in ((60, pane.retry_requested, ["a"]), (130, pane.cancel_requested, [["a"]])):
        with qtbot.waitSignal(signal) as wish:
            qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(across, card.bottom() - 24))
        assert wish.args == told
