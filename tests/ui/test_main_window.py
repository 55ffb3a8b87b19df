"""Where the panes stand, in this start and the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from imagegen_desktop.ui.application import build
from imagegen_desktop.ui.main_window import MainWindow
from tests.ui.conftest import Opened, Studio


def test_the_layout_is_remembered(open_studio: Opened) -> None:
    first = open_studio()
    first.window.findChild(QWidget, "detailsDock").hide()
    first.window.close()
    second = open_studio()
    assert second.window.findChild(QWidget, "detailsDock").isHidden()
    second.window.actions_["resetLayout"].trigger()
    assert not second.window.findChild(QWidget, "detailsDock").isHidden()


@pytest.fixture
def start(home: Path, qapp: QApplication, qtbot: QtBot) -> Callable[[], MainWindow]:
    """Starts the window as the program does: on screen first, its panes put in afterwards."""

    def one() -> MainWindow:
        _, window = build([])
        assert isinstance(window, MainWindow)
        qtbot.addWidget(window)
        qtbot.waitUntil(lambda: bool(window.top_bar.model()))
        return window

    return one


def docks(window: MainWindow) -> tuple[int, int, int]:
    prompt, queue, gallery = (window.findChild(QWidget, f"{name}Dock") for name in ("prompt", "queue", "gallery"))
    return prompt.width(), queue.width(), gallery.height()


def test_on_another_screen_the_panes_keep_their_size_and_the_canvas_takes_the_rest(
    start: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    """The tests' screen is smaller than the window is made here, so the next start comes up smaller."""
    first = start()
    first.resize(1600, 1000)
    qtbot.waitUntil(lambda: first.width() == 1600)
    chosen = docks(first)
    first.close()
    second = start()
    assert second.width() < 1600
    assert docks(second) == chosen
    before = second.panes.stage.width()
    second.resize(1920, 1080)
    qtbot.waitUntil(lambda: second.panes.stage.width() > before)
    assert docks(second) == chosen


@pytest.mark.parametrize("height", [640, 4000], ids=["with a scroll bar", "without"])
def test_the_fields_end_where_the_buttons_below_them_end(studio: Studio, height: int) -> None:
    studio.window.resize(1280, height)
    prompt, cancel = studio.find(QPlainTextEdit, "promptEdit"), studio.find(QPushButton, "cancelButton")
    bar = studio.window.panes.prompt.findChildren(QScrollArea)[0].verticalScrollBar()
    studio.until(lambda: bar.isEnabled() == (height < 1000))

    def right(widget: QWidget) -> int:
        return widget.mapTo(studio.window, widget.rect().topRight()).x()

    studio.until(lambda: abs(right(prompt) - right(cancel)) <= 1)


@pytest.mark.parametrize("width", [1280, 1440])
def test_a_window_is_as_high_as_its_fields_or_a_little_higher(
    start: Callable[[], MainWindow], qtbot: QtBot, width: int
) -> None:
    """Where a scroll bar would just be needed or not, the pictures of the styles follow the width that is left."""
    window = start()
    pane = window.panes.prompt
    body, scroll = pane.findChild(QWidget, "paneBody"), pane.findChildren(QScrollArea)[0]
    assert body is not None
    window.resize(width, 4000)
    qtbot.waitUntil(lambda: body.width() > 0 and scroll.viewport().height() > 2000)
    wide = scroll.viewport().width()
    beside = window.height() - scroll.viewport().height()
    needed = body.minimumSizeHint().height()
    for height in range(beside + needed - 16, beside + needed + 16):
        window.resize(width, height)
        qtbot.waitUntil(partial(lambda wanted: window.height() == wanted, height))
        assert scroll.viewport().width() == wide


def test_a_maximised_window_is_as_large_at_the_next_start(start: Callable[[], MainWindow], qtbot: QtBot) -> None:
    first = start()
    usual = first.size()
    first.showMaximized()
    qtbot.waitUntil(lambda: first.size() != usual)
    full = first.size()
    first.close()
    second = start()
    assert second.isMaximized()
    assert second.size() == full
