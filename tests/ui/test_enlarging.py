"""Upscaling, a second pass and comparing, in the whole window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLabel,
    QMenu,
    QPlainTextEdit,
    QSlider,
    QWidget,
)

from imagegen_desktop.domain.model_card import ModelCard
from imagegen_desktop.domain.request import LAST_STEP, BranchPoint
from imagegen_desktop.ui.offer import offer_of_card
from tests.ui.conftest import Studio
from tests.ui.test_window import draw, gallery_rows

LEFT = Qt.MouseButton.LeftButton


def drawn(studio: Studio, count: int = 1) -> None:
    draw(studio, "hills", steps=1, count=count)
    studio.until(lambda: gallery_rows(studio) == count)


def select(studio: Studio, row: int) -> None:
    view = studio.find(QAbstractItemView, "galleryView")
    view.setCurrentIndex(view.model().index(row, 0))
    studio.until(lambda: studio.window.panes.gallery.current() is not None)


def test_a_picture_is_upscaled_as_a_job_that_knows_its_parent(studio: Studio) -> None:
    drawn(studio)
    select(studio, 0)
    studio.window.actions_["upscale2"].trigger()
    studio.until(lambda: gallery_rows(studio) == 2)
    assignment = studio.provider.assignments[1]
    request = assignment.job.request
    assert (request.task, request.upscale, request.upscaler) == ("upscale", 2.0, "Lanczos")
    assert (request.width, request.height) == (128, 128)
    assert len(assignment.image) == 64 * 64 * 3
    newest, oldest = studio.parts.gallery.page(limit=2)
    assert newest.parents == (oldest.id,)
    assert newest.request.prompt == "hills"


def test_the_picture_just_drawn_is_upscaled_from_the_details(studio: Studio) -> None:
    drawn(studio)
    studio.until(lambda: studio.window.panes.details.image() is not None)
    button = next(
        button for button in studio.window.panes.details.findChildren(QAbstractButton) if button.text() == "Upscale 2×"
    )
    QTest.mouseClick(button, LEFT)
    studio.until(lambda: gallery_rows(studio) == 2)
    assert studio.provider.assignments[1].job.request.upscale == 2.0


def test_the_menu_names_who_enlarges(studio: Studio) -> None:
    gallery = studio.window.panes.gallery
    studio.until(lambda: gallery._upscalers == ["Lanczos"])


def menu_entry(studio: Studio, *path: str) -> QAction:
    """An entry of the menu of the current picture, by the texts that lead to it."""
    view = studio.find(QAbstractItemView, "galleryView")
    view.customContextMenuRequested.emit(QPoint(1, 1))
    menu = next(found for found in studio.window.panes.gallery.findChildren(QMenu) if found.isVisible())
    for text in path[:-1]:
        menu = next(action.menu() for action in menu.actions() if action.text() == text)
    return next(action for action in menu.actions() if action.text() == path[-1])


def test_a_picture_is_decoded_again_as_a_job_that_knows_its_parent(studio: Studio) -> None:
    drawn(studio)
    select(studio, 0)
    menu_entry(studio, "Decode again", "With the model's own VAE").trigger()
    studio.until(lambda: gallery_rows(studio) == 2)
    newest, oldest = studio.parts.gallery.page(limit=2)
    assert newest.parents == (oldest.id,)
    assert newest.request.branch == BranchPoint(step=LAST_STEP, image=oldest.id, request=oldest.request)


def test_a_picture_that_cannot_be_decoded_again_says_so(studio: Studio) -> None:
    drawn(studio)
    select(studio, 0)
    studio.window.actions_["upscale2"].trigger()
    studio.until(lambda: gallery_rows(studio) == 2)
    select(studio, 0)
    menu_entry(studio, "Decode again", "With the model's own VAE").trigger()
    said = studio.window.panes.stage.messages
    studio.until(said.isVisible)
    assert "not only enlarged" in " ".join(label.text() for label in said.findChildren(QLabel))
    assert len(studio.provider.assignments) == 2


def test_child_and_parent_are_compared(studio: Studio) -> None:
    drawn(studio)
    select(studio, 0)
    studio.window.actions_["upscale2"].trigger()
    studio.until(lambda: gallery_rows(studio) == 2)
    select(studio, 0)
    studio.until(lambda: studio.window.panes.stage.canvas.picture().width() == 128)
    pane, slider = studio.find(QWidget, "comparePane"), studio.find(QSlider, "compareSlider")
    assert not pane.isVisible()
    studio.window.actions_["compare"].trigger()
    studio.until(pane.isVisible)
    assert pane.accessibleName()
    assert slider.value() == 500
    halves = studio.window.panes.stage.comparison._halves
    QTest.keyClick(halves, Qt.Key.Key_Left)
    assert slider.value() == 480
    QTest.keyClick(halves, Qt.Key.Key_End)
    assert slider.value() == 1000
    middle = QPoint(halves.width() // 2, halves.height() // 2)
    QTest.mousePress(halves, LEFT, Qt.KeyboardModifier.NoModifier, middle)
    QTest.mouseMove(halves, middle + QPoint(20, 0))
    QTest.mouseRelease(halves, LEFT, Qt.KeyboardModifier.NoModifier, middle + QPoint(20, 0))
    assert 500 < slider.value() < 1000
    studio.window.actions_["cancel"].setEnabled(True)
    QTest.keyClick(halves, Qt.Key.Key_Escape)
    assert not pane.isVisible()


def test_the_divider_parts_the_two_pictures(studio: Studio) -> None:
    from PySide6.QtGui import QColor, QImage

    before, after = QImage(64, 64, QImage.Format.Format_RGB32), QImage(64, 64, QImage.Format.Format_RGB32)
    before.fill(QColor("red"))
    after.fill(QColor("blue"))
    stage = studio.window.panes.stage
    stage.show_comparison(before, after, ("", ""))
    studio.find(QSlider, "compareSlider").setValue(250)
    shot = stage.comparison._halves.grab().toImage()
    seen, row = stage.comparison._halves._seen(), shot.height() // 4
    ratio = shot.devicePixelRatio()
    colours = [shot.pixelColor(int((seen.left() + seen.width() * x) * ratio), row).name() for x in (0.1, 0.4, 0.9)]
    assert colours == ["#ff0000", "#0000ff", "#0000ff"]


def test_two_selected_pictures_are_compared_and_one_from_words_says_why_not(studio: Studio) -> None:
    drawn(studio, 2)
    select(studio, 0)
    studio.window.actions_["compare"].trigger()
    studio.until(lambda: "words alone" in studio.window.panes.stage.messages.text())
    studio.find(QAbstractItemView, "galleryView").selectAll()
    studio.window.actions_["compare"].trigger()
    studio.until(studio.find(QWidget, "comparePane").isVisible)
    QTest.mouseClick(studio.find(QAbstractButton, "closeCompareButton"), LEFT)
    assert not studio.find(QWidget, "comparePane").isVisible()


def test_a_second_pass_is_part_of_the_request(studio: Studio) -> None:
    combo = studio.find(QComboBox, "hiresCombo")
    combo.setCurrentIndex(combo.findData(2.0))
    studio.find(QPlainTextEdit, "promptEdit").setPlainText("hills")
    draw(studio, steps=4)
    studio.until(lambda: bool(studio.provider.assignments))
    request = studio.provider.assignments[0].job.request
    assert (request.hires_factor, request.hires_strength, request.upscaler) == (2.0, 0.5, "Lanczos")


@pytest.mark.parametrize(
    ("family", "masked", "there"),
    [("sd1", True, True), ("sd1", False, True), ("flux-fill", True, True), ("flux-fill", False, False)],
)
def test_the_second_pass_is_there_where_the_model_can_draw_over_the_picture(
    studio: Studio, family: str, masked: bool, there: bool
) -> None:
    combo, pane = studio.find(QComboBox, "hiresCombo"), studio.window.panes.prompt
    combo.setCurrentIndex(1)
    card = ModelCard(name="model", path="/model", family=family, size_bytes=1, width=64, height=64, steps=4)
    pane.show_offer(offer_of_card(card))
    pane.show_masked(masked)
    assert combo.isEnabled() is there
    assert bool(combo.accessibleDescription()) is not there
    assert (pane.request().hires_factor is not None) is there
