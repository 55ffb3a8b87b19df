"""Rules for every widget of the window: a name for screen readers, plain text, no torch, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import threading

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QWidget,
)

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.ui.panes.queue_items import JOB
from tests.ui.conftest import Opened, Studio
from tests.ui.test_window import draw

CONTROLS = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QPlainTextEdit)
#: What Qt makes inside its own controls.
INNER = (
    "qt_toolbar_ext_button",
    "qt_spinbox_lineedit",
    "qt_menubar_ext_button",
    "qt_dockwidget_floatbutton",
    "qt_dockwidget_closebutton",
)
HEAVY = ("torch", "numpy", "diffusers", "transformers", "PIL", "apsw", "peewee", "keyring", "imagegen_desktop.services")


def test_every_control_has_a_name(studio: Studio) -> None:
    studio.window.actions_["settings"].trigger()
    studio.window.actions_["models"].trigger()
    nameless = [
        f"{type(widget).__name__} {widget.objectName()}"
        for kind in CONTROLS
        for widget in studio.window.findChildren(kind)
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
        and not isinstance(widget, QScrollBar)
        and widget.objectName() not in INNER
        and not isinstance(widget.parent(), QLineEdit | QComboBox)
    ]
    assert nameless == []


def test_no_label_guesses_html(studio: Studio) -> None:
    studio.window.actions_["settings"].trigger()
    studio.window.actions_["models"].trigger()
    guessing = [
        label.text() for label in studio.window.findChildren(QLabel) if label.textFormat() != Qt.TextFormat.PlainText
    ]
    assert guessing == []


def test_every_pane_can_be_reached_by_keyboard(studio: Studio) -> None:
    reached = set()
    widget = studio.window.panes.prompt
    for _ in range(400):
        widget = widget.nextInFocusChain()
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            reached.add(widget.objectName())
    wanted = {"promptEdit", "styleList", "stepsSpin", "generateButton", "canvas", "queueView", "galleryView"}
    assert wanted <= reached


def test_the_keyboard_goes_through_the_panes_as_one_reads(studio: Studio) -> None:
    wanted = ["modelCombo", "promptEdit", "generateButton", "canvas", "queueView", "galleryView"]
    reached: list[str] = []
    widget: QWidget = studio.find(QComboBox, "modelCombo")
    for _ in range(400):
        reached.append(widget.objectName())
        widget = widget.nextInFocusChain()
    assert [name for name in dict.fromkeys(reached) if name in wanted] == wanted


def test_a_queue_that_has_the_focus_shows_where_it_is(studio: Studio) -> None:
    draw(studio, steps=2)
    view = studio.find(QAbstractItemView, "queueView")
    studio.until(lambda: view.model().rowCount() == 1 and view.model().index(0, 0).data(JOB).state is JobState.DONE)
    studio.window.activateWindow()
    studio.window.panes.prompt.focus_prompt()
    studio.until(lambda: not view.hasFocus())
    before = view.viewport().grab().toImage()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    studio.until(lambda: view.viewport().grab().toImage() != before)


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    code = (
        "import sys, imagegen_desktop.ui.application, imagegen_desktop.ui.main_window;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_closing_leaves_no_thread_behind(open_studio: Opened) -> None:
    before = set(threading.enumerate())
    studio = open_studio()
    studio.window.close()
    studio.until(lambda: not [one for one in threading.enumerate() if one not in before and not _foreign(one)])


def _foreign(thread: threading.Thread) -> bool:
    """Qt's pool threads are known to Python by a stand-in that outlives them."""
    return isinstance(thread, threading._DummyThread)
