"""What is said in place, and the button that mends it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from imagegen_desktop.domain.download import Download, DownloadState
from imagegen_desktop.domain.engine_status import EngineStatus
from imagegen_desktop.services.announce import DownloadChanged, EngineChanged, Notice
from imagegen_desktop.ui.theme import Theme
from imagegen_desktop.ui.widgets.message_bar import MessageBar
from tests.ui.conftest import Studio

MARKUP = "<b>bold</b> <img src='http://127.0.0.1:9/x'> <a href='file:///etc/passwd'>go</a>"


def test_the_remedy_is_done_and_the_message_goes(qtbot: QtBot, theme: Theme) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    done: list[bool] = []
    bar.show_message("error", "Needs 9.1 GB.", "Only 7.8 GB are free.", ("Use tiles", lambda: done.append(True)))
    assert bar.text() == "Needs 9.1 GB."
    qtbot.mouseClick(bar.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert done == [True]
    assert bar.text() == ""


def test_markup_from_outside_is_shown_as_it_is(qtbot: QtBot, theme: Theme) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.show_message("error", MARKUP)
    assert MARKUP in [label.text() for label in bar.findChildren(QLabel)]
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in bar.findChildren(QLabel))


def said(bar: MessageBar) -> list[str]:
    """What stands there, from top to bottom."""
    return [note.findChildren(QLabel)[0].text() for note in bar.findChildren(QFrame, "message") if not note.isHidden()]


def close_first(bar: MessageBar) -> None:
    bar.findChildren(QFrame, "message")[0].findChild(QToolButton).click()


def test_messages_stand_beside_each_other_the_worst_first_and_the_others_wait(qtbot: QtBot, theme: Theme) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.show_message("info", "A model is here.", about="model")
    bar.show_message("error", "The file is gone.", about="file")
    bar.show_message("warning", "The engine restarts.", about="engine")
    assert said(bar) == ["The file is gone.", "The engine restarts."]
    assert "1 more" in [label.text() for label in bar.findChildren(QLabel) if not label.isHidden()]
    close_first(bar)
    assert said(bar) == ["The engine restarts.", "A model is here."]
    bar.show_message("error", "The engine does not start.", about="engine")
    assert said(bar) == ["The engine does not start.", "A model is here."]
    bar.clear("engine")
    assert said(bar) == ["A model is here."]
    close_first(bar)
    assert said(bar) == []
    assert bar.isHidden()


def test_what_passes_goes_alone(qtbot: QtBot, theme: Theme) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.show_message("error", "The file is gone.", about="file")
    bar.show_message("info", "Moved to the bin.", passing=True)
    assert said(bar) == ["The file is gone.", "Moved to the bin."]
    qtbot.waitUntil(lambda: said(bar) == ["The file is gone."], timeout=15_000)


def test_no_news_of_a_download_or_an_engine_hides_what_went_wrong(studio: Studio) -> None:
    bar = studio.window.panes.stage.messages
    studio.parts.announce.publish(Notice(level="warning", text="The disk is nearly full."))
    studio.until(lambda: said(bar) == ["The disk is nearly full."])
    done = DownloadState.DONE
    come = Download(key="one", id="a/model", title="Model", revision="1", size=1, state=done, path="/nowhere")
    studio.parts.announce.publish(DownloadChanged(download=come))
    studio.until(lambda: said(bar) == ["The disk is nearly full.", "Model is here."])
    for state in ("restarting", "ready"):
        studio.parts.announce.publish(EngineChanged(status=EngineStatus(state=state)))
    for number in (0, 1):
        studio.parts.announce.publish(EngineChanged(status=EngineStatus(state="restarting", number=number)))
    studio.parts.announce.publish(EngineChanged(status=EngineStatus(state="ready", number=1)))
    restarting = "The engine is restarting. Pictures go on from their last snapshot."
    studio.until(lambda: said(bar) == [restarting, "The disk is nearly full."])
    studio.parts.announce.publish(EngineChanged(status=EngineStatus(state="ready")))
    studio.until(lambda: said(bar) == ["The disk is nearly full.", "Model is here."])
