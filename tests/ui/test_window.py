"""The whole window with real services: from words to an image in the gallery, and everything on the way."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QSlider,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import assemble
from imagegen_desktop.ui.application import open_window
from tests.ui.conftest import Opened, Studio
from tests.ui.scripted import ScriptedProvider, paper_model

NAMES: dict[str, type[QWidget]] = {
    "promptEdit": QPlainTextEdit,
    "negativePromptEdit": QPlainTextEdit,
    "styleList": QAbstractItemView,
    "queueView": QAbstractItemView,
    "galleryView": QAbstractItemView,
    "modelCombo": QComboBox,
    "providerCombo": QComboBox,
    "samplerCombo": QComboBox,
    "widthSpin": QSpinBox,
    "heightSpin": QSpinBox,
    "stepsSpin": QSpinBox,
    "countSpin": QSpinBox,
    "guidanceSpin": QDoubleSpinBox,
    "seedEdit": QLineEdit,
    "strengthSlider": QSlider,
    "generateButton": QAbstractButton,
    "cancelButton": QAbstractButton,
    "randomSeedButton": QAbstractButton,
    "jobProgress": QProgressBar,
    "canvas": QWidget,
    "gallerySearchEdit": QLineEdit,
}
ACTIONS = ("undoAction", "redoAction", "settingsAction", "modelsAction")
STALL_SECONDS = 0.25


def draw(studio: Studio, prompt: str = "hills", **numbers: int) -> None:
    """Types a prompt, sets numbers by the names of their fields, presses Generate."""
    studio.find(QPlainTextEdit, "promptEdit").setPlainText(prompt)
    for name, value in numbers.items():
        studio.find(QSpinBox, f"{name}Spin").setValue(value)
    button = studio.find(QAbstractButton, "generateButton")
    studio.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def gallery_rows(studio: Studio) -> int:
    return studio.find(QAbstractItemView, "galleryView").model().rowCount()


def states(studio: Studio) -> list[JobState]:
    return [job.state for job in studio.parts.queue.jobs()]


def test_every_promised_name_is_there(studio: Studio) -> None:
    for name, kind in NAMES.items():
        assert studio.find(kind, name)


def test_every_promised_action_is_there(studio: Studio) -> None:
    assert {action.objectName() for action in studio.window.actions_.all()} >= set(ACTIONS)


def test_generate_waits_for_words(studio: Studio) -> None:
    button = studio.find(QAbstractButton, "generateButton")
    assert not button.isEnabled()
    studio.find(QPlainTextEdit, "promptEdit").setPlainText("hills")
    assert button.isEnabled()


def test_a_preview_comes_with_the_first_step_and_an_image_at_the_end(studio: Studio) -> None:
    studio.provider.hold()
    draw(studio, steps=4)
    canvas, progress = studio.window.panes.stage.canvas, studio.find(QProgressBar, "jobProgress")
    studio.provider.allow()
    studio.until(lambda: not canvas.picture().isNull())
    assert canvas.picture().width() < 64
    studio.until(lambda: progress.value() > 0)
    assert progress.isVisible()
    studio.provider.release()
    studio.until(lambda: gallery_rows(studio) == 1)
    studio.until(lambda: canvas.picture().width() == 64)
    studio.until(lambda: not progress.isVisible())


def test_the_request_is_what_the_pane_says(studio: Studio) -> None:
    studio.find(QPlainTextEdit, "negativePromptEdit").setPlainText("people")
    studio.find(QLineEdit, "seedEdit").setText("18446744073709551615")
    studio.find(QDoubleSpinBox, "guidanceSpin").setValue(6.5)
    sampler = studio.find(QComboBox, "samplerCombo")
    sampler.setCurrentIndex(sampler.findData("Euler a"))
    draw(studio, "hills", steps=3, width=96, height=64, count=2)
    studio.until(lambda: gallery_rows(studio) == 2)
    request = studio.provider.assignments[0].job.request
    assert (request.prompt, request.negative_prompt) == ("hills", "people")
    assert (request.width, request.height, request.steps, request.count) == (96, 64, 3, 2)
    assert (request.seed, request.guidance, request.sampler) == (2**64 - 1, 6.5, "Euler a")


def test_cancel_stops_within_a_step(studio: Studio) -> None:
    studio.provider.hold()
    draw(studio, steps=20)
    studio.provider.allow(2)
    cancel = studio.find(QAbstractButton, "cancelButton")
    studio.until(cancel.isEnabled)
    studio.qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    studio.until(lambda: states(studio) == [JobState.CANCELLED])
    studio.until(lambda: not studio.find(QProgressBar, "jobProgress").isVisible())
    assert gallery_rows(studio) == 0


def test_bad_input_is_told_in_place(studio: Studio) -> None:
    studio.find(QLineEdit, "seedEdit").setText("99999999999999999999")
    draw(studio)
    assert "seed" in studio.window.panes.prompt.messages.text()
    assert studio.parts.queue.jobs() == []


def test_a_failed_job_says_why_and_can_be_retried(studio: Studio) -> None:
    draw(studio, "hills [memory]", steps=2)
    studio.until(lambda: states(studio) == [JobState.FAILED])
    queue = studio.window.panes.queue
    studio.until(lambda: bool(queue.jobs()) and queue.jobs()[0].error is not None)
    queue.retry_requested.emit(queue.jobs()[0].id)
    studio.until(lambda: len(studio.provider.assignments) == 2)


def test_search_finds_as_one_types(studio: Studio) -> None:
    draw(studio, "green hills", steps=1)
    studio.until(lambda: gallery_rows(studio) == 1)
    draw(studio, "blue lake", steps=1)
    studio.until(lambda: gallery_rows(studio) == 2)
    search = studio.find(QLineEdit, "gallerySearchEdit")
    studio.qtbot.keyClicks(search, "lake")
    studio.until(lambda: gallery_rows(studio) == 1)
    search.clear()
    studio.until(lambda: gallery_rows(studio) == 2)


def test_keys_rate_bin_and_undo(studio: Studio) -> None:
    draw(studio, steps=1, count=3)
    studio.until(lambda: gallery_rows(studio) == 3)
    view = studio.find(QAbstractItemView, "galleryView")
    view.setFocus()
    view.setCurrentIndex(view.model().index(1, 0))
    studio.qtbot.keyClick(view, Qt.Key.Key_4)
    studio.until(lambda: [image.rating for image in studio.parts.gallery.page()] == [0, 4, 0])
    studio.qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.currentIndex().row() == 2
    studio.qtbot.keyClick(view, Qt.Key.Key_Delete)
    studio.until(lambda: gallery_rows(studio) == 2)
    studio.until(studio.window.actions_["undo"].isEnabled)
    studio.window.actions_["undo"].trigger()
    studio.until(lambda: gallery_rows(studio) == 3)


def test_a_selected_image_shows_what_made_it_and_can_be_used_again(studio: Studio) -> None:
    studio.find(QLineEdit, "seedEdit").setText("77")
    draw(studio, "red hills", steps=2)
    studio.until(lambda: gallery_rows(studio) == 1)
    view = studio.find(QAbstractItemView, "galleryView")
    view.setCurrentIndex(view.model().index(0, 0))
    details = studio.window.panes.details
    studio.until(lambda: details.image() is not None)
    studio.find(QPlainTextEdit, "promptEdit").clear()
    studio.find(QLineEdit, "seedEdit").clear()
    details.use_all_requested.emit(details.image())
    assert studio.find(QPlainTextEdit, "promptEdit").toPlainText() == "red hills"
    assert studio.find(QLineEdit, "seedEdit").text() == "77"
    assert studio.find(QSpinBox, "stepsSpin").value() == 2


def test_the_filmstrip_marks_the_picture_on_the_canvas_and_no_other(studio: Studio) -> None:
    draw(studio, steps=1, count=2)
    studio.until(lambda: gallery_rows(studio) == 2)
    strip, view = studio.find(QAbstractItemView, "filmstrip"), studio.find(QAbstractItemView, "galleryView")
    studio.until(lambda: [index.row() for index in strip.selectedIndexes()] == [1])
    view.setCurrentIndex(view.model().index(1, 0))
    studio.until(lambda: [index.row() for index in strip.selectedIndexes()] == [0])
    draw(studio, steps=1, count=2)
    studio.until(lambda: gallery_rows(studio) == 4)
    studio.until(lambda: [index.row() for index in strip.selectedIndexes()] == [1])
    view.setCurrentIndex(view.model().index(2, 0))
    studio.until(lambda: strip.selectedIndexes() == [])


def test_a_click_brings_the_selected_picture_back_onto_the_canvas(studio: Studio) -> None:
    draw(studio, "one", steps=1, count=1)
    studio.until(lambda: gallery_rows(studio) == 1)
    view, stage = studio.find(QAbstractItemView, "galleryView"), studio.window.panes.stage
    view.setCurrentIndex(view.model().index(0, 0))
    first = stage.shown()
    draw(studio, "two", steps=1, count=1)
    studio.until(lambda: gallery_rows(studio) == 2 and stage.shown() not in (None, first))
    place = view.visualRect(view.currentIndex()).center()
    studio.qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    studio.until(lambda: stage.shown() == first)


def test_the_filmstrip_marks_no_picture_that_comes_while_another_one_is_looked_at(studio: Studio) -> None:
    draw(studio, steps=1, count=1)
    studio.until(lambda: gallery_rows(studio) == 1)
    strip, view = studio.find(QAbstractItemView, "filmstrip"), studio.find(QAbstractItemView, "galleryView")
    studio.provider.hold()
    draw(studio, steps=1, count=3)
    studio.provider.allow(2)
    studio.until(lambda: gallery_rows(studio) == 3)
    view.setCurrentIndex(view.model().index(2, 0))
    studio.until(studio.window.panes.stage.looks_elsewhere)
    studio.provider.allow(1)
    studio.until(lambda: strip.model().rowCount() == 3)
    assert strip.selectedIndexes() == []


def test_a_picture_of_the_batch_can_be_looked_at_while_the_next_is_drawn(studio: Studio) -> None:
    strip, stage = studio.find(QAbstractItemView, "filmstrip"), studio.window.panes.stage
    said = studio.find(QProgressBar, "jobProgress").accessibleDescription

    def click(row: int) -> int:
        place = strip.visualRect(strip.model().index(row, 0)).center()
        studio.qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=place)
        return stage.canvas.picture().cacheKey()

    studio.provider.hold()
    draw(studio, steps=8, count=4)
    studio.provider.allow(17)
    studio.until(lambda: "Picture 3 of 4 · Step 1 of 8" in said())
    chosen = click(0)
    studio.provider.allow(3)  # a preview is shown before the step that follows it
    studio.until(lambda: "Step 4 of 8" in said())
    assert stage.canvas.picture().cacheKey() == chosen
    chosen = click(1)
    studio.provider.allow(1)
    studio.until(lambda: stage.canvas.picture().cacheKey() != chosen)


def test_closing_pauses_what_runs_and_the_next_start_says_so(open_studio: Opened) -> None:
    first = open_studio()
    first.provider.hold()
    draw(first, steps=20)
    first.provider.allow(2)
    first.until(first.find(QAbstractButton, "cancelButton").isEnabled)
    first.window.close()
    second = open_studio()
    second.until(lambda: bool(second.window.panes.queue.messages.text()))
    assert states(second) == [JobState.PAUSED]


def test_the_queue_can_be_paused(studio: Studio) -> None:
    studio.window.actions_["pauseQueue"].trigger()
    studio.until(lambda: studio.parts.queue.paused)
    draw(studio, steps=1)
    studio.until(lambda: states(studio) == [JobState.QUEUED])
    studio.window.actions_["pauseQueue"].trigger()
    studio.until(lambda: gallery_rows(studio) == 1)


def test_the_loop_does_not_stall_while_pictures_are_made(studio: Studio) -> None:
    beats: list[float] = []
    pulse = QTimer()
    pulse.setInterval(5)
    pulse.timeout.connect(lambda: beats.append(time.perf_counter()))
    pulse.start()
    draw(studio, steps=10, count=6)
    studio.until(lambda: gallery_rows(studio) == 6)
    pulse.stop()
    gaps = [later - earlier for earlier, later in itertools.pairwise(beats)]
    assert max(gaps) < STALL_SECONDS


def test_a_change_of_theme_dresses_the_window_at_once(studio: Studio) -> None:
    studio.parts.settings.set("theme", "light")
    studio.until(lambda: studio.window.palette().window().color().name() == "#ffffff")


def test_shortcuts_are_unique(studio: Studio) -> None:
    keys = [key.toString() for action in studio.window.actions_.all() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))
    assert QKeySequence("Ctrl+K").toString() in keys


def test_settings_are_generated_and_take_effect(studio: Studio) -> None:
    studio.window.actions_["settings"].trigger()
    dialog = studio.find(QWidget, "settingsDialog")
    threads = dialog.findChild(QSpinBox, "threadsSetting")
    threads.setValue(3)
    studio.until(lambda: studio.parts.settings.get("threads") == 3)
    dialog.close()


def test_the_command_palette_does_what_is_typed(studio: Studio) -> None:
    from imagegen_desktop.ui.dialogs.command_palette import CommandPalette

    seed = studio.find(QLineEdit, "seedEdit")
    studio.window.actions_["palette"].trigger()
    palette = studio.window.findChild(CommandPalette)
    line = palette.findChild(QLineEdit)
    studio.qtbot.keyClicks(line, "new seed")
    studio.qtbot.keyClick(line, Qt.Key.Key_Return)
    assert seed.text().isdigit()


def test_a_click_on_an_example_writes_it(studio: Studio) -> None:
    welcome = studio.window.panes.stage.welcome
    example = next(button for button in welcome.findChildren(QAbstractButton) if button.text())
    studio.qtbot.mouseClick(example, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert studio.find(QPlainTextEdit, "promptEdit").toPlainText() == example.text()


def test_enter_with_control_generates_while_typing(studio: Studio) -> None:
    edit = studio.find(QPlainTextEdit, "promptEdit")
    studio.window.activateWindow()
    edit.setFocus()
    studio.qtbot.keyClicks(edit, "hills")
    studio.find(QSpinBox, "stepsSpin").setValue(1)
    studio.qtbot.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    studio.until(lambda: gallery_rows(studio) == 1)
    assert edit.toPlainText() == "hills"


def test_the_seed_of_the_dice_is_used(studio: Studio) -> None:
    studio.qtbot.mouseClick(studio.find(QAbstractButton, "randomSeedButton"), Qt.MouseButton.LeftButton)
    rolled = int(studio.find(QLineEdit, "seedEdit").text())
    draw(studio, steps=1)
    studio.until(lambda: bool(studio.provider.assignments))
    assert studio.provider.assignments[0].job.request.seed == rolled


def test_numbers_of_the_artist_survive_a_change_of_style(studio: Studio) -> None:
    steps, styles = studio.find(QSpinBox, "stepsSpin"), studio.find(QAbstractItemView, "styleList")
    assert steps.value() == 20
    steps.setValue(7)
    studio.until(lambda: styles.model().rowCount() > 3)
    styles.setCurrentIndex(styles.model().index(2, 0))
    assert steps.value() == 7


def test_space_shows_the_picture_on_the_whole_screen(studio: Studio) -> None:
    draw(studio, steps=1)
    studio.until(lambda: gallery_rows(studio) == 1)
    view = studio.find(QAbstractItemView, "galleryView")
    view.setCurrentIndex(view.model().index(0, 0))
    canvas = studio.window.panes.stage.canvas
    studio.until(lambda: canvas.picture().width() == 64)
    studio.qtbot.keyClick(view, Qt.Key.Key_Space)
    screen = studio.find(QWidget, "fullScreen")
    assert screen.isVisible()
    studio.qtbot.keyClick(screen, Qt.Key.Key_Escape)
    assert not screen.isVisible()


def test_a_window_in_german_speaks_german(open_studio: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGEN_DESKTOP_LANGUAGE", "de")
    studio = open_studio()
    assert studio.find(QAbstractButton, "generateButton").text() == "Erzeugen"


def test_what_is_asked_for_before_the_model_is_known_is_drawn_with_its_numbers(
    home: Path, qtbot: QtBot, provider: ScriptedProvider
) -> None:
    paper_model(home)
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    parts = assemble(Home(home), providers={"local": provider})
    studio = Studio(open_window(application, parts), parts, provider, qtbot)
    draw(studio, "hills", steps=2)
    studio.until(lambda: bool(provider.assignments))
    request = provider.assignments[0].job.request
    assert (request.width, request.height, request.steps, request.guidance) == (64, 64, 2, 4.0)
    studio.window.close()


def test_a_waiting_job_can_be_cancelled_too(studio: Studio) -> None:
    studio.parts.queue.pause_all()
    draw(studio)
    cancel = studio.find(QAbstractButton, "cancelButton")
    studio.until(cancel.isEnabled)
    studio.qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    studio.until(lambda: states(studio) == [JobState.CANCELLED])
