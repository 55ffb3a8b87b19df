"""The gallery's view stays quick however many images there are."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QItemSelectionModel, QRect, Qt
from pytestqt.qtbot import QtBot

from imagegen_desktop.services.announce import Announcer
from imagegen_desktop.ui.bridge import Bridge
from imagegen_desktop.ui.panes.gallery_items import GalleryItems
from imagegen_desktop.ui.panes.gallery_view import GalleryView
from imagegen_desktop.ui.panes.thumbnails import Thumbnails
from imagegen_desktop.ui.theme import Theme
from tests.pictures import png

MANY = 1_000_000
#: Ten times what it takes on an idle machine.
JUMP_SECONDS = 0.15


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
def view(qtbot: QtBot, theme: Theme, asked: list[int]) -> Iterator[GalleryView]:
    bridge = Bridge(Announcer())
    picture = png(16, 16)

    def fetch(number: int) -> bytes:
        asked.append(number)
        return picture

    items = GalleryItems(bridge, lambda numbers: [], lambda image: "", bridge)
    made = GalleryView(items, Thumbnails(bridge, fetch), theme)
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.show()
    items.show_numbers(array("q", range(MANY, 0, -1)))
    yield made
    assert bridge.close()


def test_a_jump_through_a_million_images_takes_no_time(view: GalleryView) -> None:
    worst = 0.0
    for place in range(0, view.verticalScrollBar().maximum(), view.verticalScrollBar().maximum() // 12):
        began = time.perf_counter()
        view.verticalScrollBar().setValue(place)
        view.viewport().repaint()
        worst = max(worst, time.perf_counter() - began)
    assert worst < JUMP_SECONDS


def test_only_what_is_near_is_fetched(view: GalleryView, asked: list[int], qtbot: QtBot) -> None:
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: 1 in asked)
    assert len(asked) < 500


def test_the_last_image_can_be_reached_by_key(view: GalleryView, qtbot: QtBot) -> None:
    view.setCurrentIndex(view.model().index(0, 0))
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.currentIndex().row() == MANY - 1
    assert view.viewport().rect().intersects(view.visualRect(view.currentIndex()))
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert view.currentIndex().row() < MANY - 1


def test_a_rubber_band_selects_rows(view: GalleryView) -> None:
    band = QRect(view.visualRect(view.model().index(0, 0)).center(), view.visualRect(view.model().index(1, 0)).center())
    view.setSelection(band, QItemSelectionModel.SelectionFlag.ClearAndSelect)
    assert sorted(index.row() for index in view.selectedIndexes()) == [0, 1]


def test_larger_thumbnails_keep_the_place(view: GalleryView) -> None:
    view.verticalScrollBar().setValue(100_000)
    first = view.indexAt(view.viewport().rect().center()).row()
    view.set_cell(200)
    assert abs(view.indexAt(view.viewport().rect().center()).row() - first) < 60
