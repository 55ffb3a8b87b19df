"""How the program begins and ends: build, failed start, faults, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from imagegen_desktop.domain.errors import Problem
from imagegen_desktop.ui.application import build
from imagegen_desktop.ui.failed_start import FailedStart
from imagegen_desktop.ui.furnishing import Faults
from imagegen_desktop.ui.polite_end import PoliteEnd
from imagegen_desktop.ui.self_test import check_none_survives
from tests.ui.conftest import Studio

ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 60


def test_a_home_that_cannot_be_used_is_told_in_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    monkeypatch.setenv("IMAGEGEN_DESKTOP_HOME", str(in_the_way / "home"))
    application, window = build([])
    qtbot.addWidget(window)
    assert application is QApplication.instance()
    assert isinstance(window, FailedStart)
    assert any("file" in label.text() for label in window.findChildren(QLabel))


def test_none_survives_here() -> None:
    check_none_survives()


def test_a_build_that_loses_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([10_000, 9_600])
    monkeypatch.setattr(sys, "getrefcount", lambda _: next(counts))
    with pytest.raises(Problem, match="would crash"):
        check_none_survives()


def test_a_fault_of_ours_is_told_and_the_window_stays(studio: Studio) -> None:
    faults = Faults(studio.window, studio.parts)
    sys.excepthook(ValueError, ValueError("ours"), None)
    faults.remove()
    studio.until(lambda: bool(studio.window.panes.stage.messages.text()))
    assert studio.window.isVisible()
    studio.faults.clear()


def test_a_signal_closes_the_window(studio: Studio) -> None:
    end = PoliteEnd(studio.window)
    os.kill(os.getpid(), signal.SIGTERM)
    studio.until(lambda: not studio.window.isVisible())
    end.remove()


def test_the_program_opens_a_window_and_ends_when_it_is_closed(home: Path) -> None:
    code = (
        "import sys; from PySide6.QtCore import QTimer; from PySide6.QtWidgets import QApplication;"
        "from imagegen_desktop.ui import application as a;"
        "QTimer.singleShot(300, lambda: [w.close() for w in QApplication.topLevelWidgets() if w.objectName()"
        " == 'mainWindow']) if QApplication([]) else None; sys.exit(a.run([]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert ended.returncode == 0, ended.stderr
    assert (home / "library.sqlite3").exists()
