"""A provider that another package brings along works in window, command line and queue, which do not know it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QComboBox, QPlainTextEdit
from pytestqt.qtbot import QtBot

from imagegen_desktop import cli
from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import assemble
from imagegen_desktop.ui.application import open_window
from tests.services.conftest import FAKE, Opened
from tests.services.test_runner import On, step_is, until_empty

SOURCE = Path(__file__).with_name("sketch_provider.py")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip would leave it: metadata with an entry point, somewhere on the path."""
    site = tmp_path / "site"
    info = site / "sketch-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sketch\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[imagegen_desktop.providers]\nsketch = sketch_provider:SketchProvider\n")
    (site / "sketch_provider.py").write_text(SOURCE.read_text())
    monkeypatch.syspath_prepend(str(site))


def test_it_is_small() -> None:
    assert len(SOURCE.read_text().splitlines()) < 60


def test_the_command_line_offers_it(home: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["generate", "a fox", "--provider", "sketch", "--seed", "9", "--count", "2", "--json"]) == 0
    said = capsys.readouterr()
    events = [json.loads(line) for line in said.out.splitlines()]
    images = [event for event in events if event["event"] == "image"]
    assert [(image["provider"], image["seed"], image["cost"]) for image in images] == [
        ("sketch", 9, 0.01), ("sketch", 10, 0.01),
    ]  # fmt: skip
    assert cli.run(["providers", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["sketch"]["title"], rows["sketch"]["state"]) == ("Sketch", "ready")
    assert rows["sketch"]["month"]["known"] == pytest.approx(0.02)
    assert cli.run(["generate", "a fox", "--provider", "sketch", "--model", "nope"]) == 2
    assert "paper-1" in capsys.readouterr().err


def test_the_queue_drives_it(open_parts: Opened) -> None:
    parts = open_parts()
    wish = GenerationRequest(prompt="a fox", provider="sketch", seed=1)
    done = parts.queue.add(wish)
    until_empty(parts)
    assert parts.queue.get(done.id).state is JobState.DONE
    assert parts.gallery.page()[0].request.model == "paper-1"
    other = parts.queue.add(wish)
    On(parts, step_is(1), lambda: parts.queue.cancel([other.id]))
    until_empty(parts)
    assert parts.queue.get(other.id).state is JobState.CANCELLED
    with pytest.raises(BadInput, match="no such choice"):
        parts.queue.add(GenerationRequest(prompt="x", provider="sketch", model="paper-1", quality="low"))


def test_the_window_offers_it(home: Path, model: Path, qtbot: QtBot) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    window = open_window(application, assemble(Home(home), engine=False, engine_command=FAKE))
    providers = window.findChild(QComboBox, "providerCombo")
    qtbot.waitUntil(lambda: providers.findText("Sketch") >= 0)
    providers.setCurrentIndex(providers.findText("Sketch"))
    providers.activated.emit(providers.currentIndex())
    assert window.findChild(QComboBox, "modelCombo").currentText() == "Paper"
    window.findChild(QPlainTextEdit, "promptEdit").setPlainText("a fox")
    qtbot.mouseClick(window.findChild(QAbstractButton, "generateButton"), Qt.MouseButton.LeftButton)
    gallery = window.findChild(QAbstractItemView, "galleryView")
    qtbot.waitUntil(lambda: gallery.model().rowCount() == 1, timeout=15_000)
    window.close()
    window.deleteLater()
