"""Rules for every widget of the window: a name for screen readers, plain text, no torch, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import threading

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QScrollBar

from tests.ui.conftest import Opened, Studio

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
