"""Pictures, files and folders dropped on the window, and pictures dragged out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLineEdit, QPlainTextEdit, QSlider, QWidget

from tests.pictures import png
from tests.ui.conftest import Studio
from tests.ui.scripted import landscape
from tests.ui.test_window import draw, gallery_rows


def drop(target: QWidget, mime: QMimeData) -> None:
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    target.dropEvent(event)


def test_a_dropped_picture_becomes_the_source(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "red.png"
    file.write_bytes(png(40, 40))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    slider = studio.find(QSlider, "strengthSlider")
    assert not slider.isVisible()
    drop(studio.window.panes.stage.canvas, mime)
    studio.until(slider.isVisible)
    slider.setValue(30)
    draw(studio, "hills", steps=2)
    studio.until(lambda: bool(studio.provider.assignments))
    request = studio.provider.assignments[0].job.request
    assert request.image is not None
    assert request.image.name == "red.png"
    assert request.strength == pytest.approx(0.3)


def test_a_dropped_image_without_file_becomes_the_source(studio: Studio) -> None:
    mime = QMimeData()
    mime.setImageData(landscape(3, 64, 64))
    drop(studio.window.panes.stage.canvas, mime)
    studio.until(studio.find(QSlider, "strengthSlider").isVisible)
    assert studio.find(QAbstractButton, "generateButton").isEnabled()


def test_a_dropped_file_that_is_no_picture_is_told_in_place(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "letter.png"
    file.write_text("dear")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    drop(studio.window.panes.stage.canvas, mime)
    studio.until(lambda: bool(studio.window.panes.stage.messages.text()))
    assert not studio.find(QSlider, "strengthSlider").isVisible()


def test_removing_the_source_takes_it_off_the_canvas(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "red.png"
    file.write_bytes(png(40, 40))
    canvas, slider = studio.window.panes.stage.canvas, studio.find(QSlider, "strengthSlider")
    canvas.picture_dropped.emit(file)
    studio.until(slider.isVisible)
    assert not canvas.picture().isNull()
    studio.qtbot.mouseClick(studio.find(QAbstractButton, "removeSourceButton"), Qt.MouseButton.LeftButton)
    assert canvas.picture().isNull()
    assert not slider.isVisible()
    assert not studio.find(QAbstractButton, "generateButton").isEnabled()


def test_an_image_can_be_dragged_out_as_a_file(studio: Studio) -> None:
    draw(studio, steps=1)
    studio.until(lambda: gallery_rows(studio) == 1)
    view = studio.find(QAbstractItemView, "galleryView")
    index = view.model().index(0, 0)
    studio.until(lambda: bool(view.model().data(index)))
    urls = view.model().mimeData([index]).urls()
    assert [Path(url.toLocalFile()).exists() for url in urls] == [True]


def test_a_dropped_picture_of_ours_gives_its_settings_back(studio: Studio) -> None:
    studio.find(QLineEdit, "seedEdit").setText("5")
    draw(studio, "green hills", steps=3)
    studio.until(lambda: studio.parts.gallery.count() == 1)
    file = studio.parts.gallery.file(studio.parts.gallery.page()[0])
    edit = studio.find(QPlainTextEdit, "promptEdit")
    edit.clear()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    edit.insertFromMimeData(mime)
    studio.until(lambda: edit.toPlainText() == "green hills")
    assert studio.find(QLineEdit, "seedEdit").text() == "5"


def test_a_folder_dropped_on_the_canvas_is_left_to_the_window(studio: Studio, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    dropped: list[object] = []
    studio.window.panes.stage.canvas.picture_dropped.connect(dropped.append)
    drop(studio.window.panes.stage.canvas, mime)
    assert dropped == []
    drop(studio.window, mime)
    studio.until(lambda: "model" in studio.window.panes.stage.messages.text())
