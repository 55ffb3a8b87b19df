"""What is said in place, and the button that mends it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from imagegen_desktop.ui.theme import Theme
from imagegen_desktop.ui.widgets.message_bar import MessageBar

MARKUP = "<b>bold</b> <img src='http://127.0.0.1:9/x'> <a href='file:///etc/passwd'>go</a>"


def test_the_remedy_is_done_and_the_message_goes(qtbot: QtBot, theme: Theme) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    done: list[bool] = []
    bar.show_message("error", "Needs 9.1 GB.", "Only 7.8 GB are free.", ("Use tiles", lambda: done.append(True)))
    assert bar.text() == "Needs 9.1 GB."
    qtbot.mouseClick(bar.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert done == [True]
    assert bar.text() == ""


def test_markup_from_outside_is_shown_as_it_is(qtbot: QtBot, theme: Theme) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.show_message("error", MARKUP)
    assert MARKUP in [label.text() for label in bar.findChildren(QLabel)]
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in bar.findChildren(QLabel))
