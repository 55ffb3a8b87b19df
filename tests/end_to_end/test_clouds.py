"""The whole program with both providers, each a server on this machine: window and command line, nothing replaced."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, QSizeF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from imagegen_desktop.ui.application import build
from imagegen_desktop.ui.canvas.view import Canvas
from tests.canary import hits_in_process
from tests.fake_openai import COST, KEY, FakeOpenAI, form_of
from tests.fake_replicate import TOKEN, FakeReplicate
from tests.pictures import half_mask, png

from .conftest import ROOT

pytestmark = pytest.mark.slow

LEFT = Qt.MouseButton.LeftButton
PATIENCE_SECONDS = 40
SIDE = 256
SCHNELL = "black-forest-labs/flux-schnell"
KONTEXT, FILL = "black-forest-labs/flux-kontext-pro", "black-forest-labs/flux-fill-pro"
W = TypeVar("W", bound=QWidget)


class Desk:
    """The window as an artist uses it, by the names of its controls."""

    def __init__(self, openai: FakeOpenAI, replicate: FakeReplicate) -> None:
        self.openai, self.replicate = openai, replicate
        self.application, self.window = build([])
        self.until(lambda: self.find(QComboBox, "providerCombo").count() == 3)

    def find(self, kind: type[W], name: str) -> W:
        found = self.window.findChild(kind, name)
        assert found is not None, f"there is no {name}"
        return found

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, self.said()
            QTest.qWait(5)

    def said(self) -> str:
        """All that can be read in the window."""
        return "\n".join(label.text() for label in self.window.findChildren(QLabel) if label.isVisible())

    def choose(self, combo: str, data: str) -> None:
        found = self.find(QComboBox, combo)
        found.setCurrentIndex(found.findData(data))
        found.activated.emit(found.currentIndex())

    def press(self, name: str) -> None:
        self.until(self.find(QAbstractButton, name).isEnabled)
        QTest.mouseClick(self.find(QAbstractButton, name), LEFT)

    def ask(self, provider: str, prompt: str, model: str = "", count: int = 1) -> None:
        """Chooses who draws, types and presses Generate."""
        self.choose("providerCombo", provider)
        if model:
            self.choose("modelCombo", model)
        self.find(QPlainTextEdit, "promptEdit").setPlainText(prompt)
        self.find(QSpinBox, "countSpin").setValue(count)
        self.press("generateButton")

    def images(self) -> int:
        return self.find(QAbstractItemView, "galleryView").model().rowCount()

    def select_newest(self) -> None:
        view = self.find(QAbstractItemView, "galleryView")
        view.clearSelection()
        view.setCurrentIndex(view.model().index(0, 0))

    def drop(self, file: Path) -> None:
        """As a file manager does it; the canvas then shows the picture to start from."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(file))])
        canvas, no_key = self.find(Canvas, "canvas"), Qt.KeyboardModifier.NoModifier
        canvas.dropEvent(QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, mime, LEFT, no_key))
        remove = self.find(QAbstractButton, "removeSourceButton")
        self.until(lambda: remove.isVisible() and canvas.picture().width() == SIDE)

    def paint(self) -> None:
        """A stroke through the middle of the picture."""
        self.press("brushTool")
        canvas, no_key = self.find(Canvas, "canvas"), Qt.KeyboardModifier.NoModifier
        QTest.mousePress(canvas, LEFT, no_key, self._at(64, 128))
        QTest.mouseMove(canvas, self._at(192, 128))
        QTest.mouseRelease(canvas, LEFT, no_key, self._at(192, 128))

    def forget_picture(self) -> None:
        if self.find(QAbstractButton, "removeSourceButton").isVisible():
            self.press("removeSourceButton")

    def _at(self, x: float, y: float) -> QPoint:
        spot = QRectF(QPointF(x, y), QSizeF(1, 1))
        return self.find(Canvas, "canvas").view.to_widget(spot).topLeft().toPoint()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, qapp: QApplication) -> Iterator[Desk]:
    """One window for all: the engine behind it takes seconds to start."""
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    with pytest.MonkeyPatch.context() as patch, FakeOpenAI() as openai, FakeReplicate() as replicate:
        for name, value in environment_of(tmp_path_factory.mktemp("clouds") / "home", openai, replicate).items():
            patch.setenv(name, value)
        made = Desk(openai, replicate)
        yield made
        made.window.close()
        made.window.deleteLater()
    logging.getLogger().handlers[0].close()
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


def environment_of(home: Path, openai: FakeOpenAI, replicate: FakeReplicate) -> dict[str, str]:
    return {
        "IMAGEGEN_DESKTOP_HOME": str(home),
        "IMAGEGEN_DESKTOP_THREADS": "1",
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": openai.url,
        "REPLICATE_API_TOKEN": TOKEN,
        "REPLICATE_BASE_URL": replicate.origin,
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture(autouse=True)
def whole_servers(desk: Desk) -> Iterator[None]:
    desk.openai.reset()
    desk.replicate.reset()
    yield
    desk.forget_picture()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "red.png"
    file.write_bytes(png(SIDE, SIDE))
    return file


def test_words_at_openai_with_a_look_while_it_comes(desk: Desk) -> None:
    desk.openai.revised_prompt = "a red fox in the snow"
    gate = desk.openai.gate("partial")
    before, canvas = desk.images(), desk.find(Canvas, "canvas")
    desk.ask("openai", "a red fox")
    desk.until(lambda: not canvas.picture().isNull() and canvas.picture().width() == 64)
    assert desk.images() == before, "it is still being made"
    gate.opened.set()
    desk.until(lambda: desk.images() == before + 1)
    desk.until(lambda: canvas.picture().width() == 1024)  # the picture takes the place of the look
    desk.select_newest()
    for words in ("OpenAI", "gpt-image-2.6-flare", f"${COST:.3f}", "a red fox in the snow"):
        desk.until(lambda words=words: words in desk.said())  # type: ignore[misc]
    assert len(desk.openai.charges) == 1


def test_words_at_replicate(desk: Desk) -> None:
    before = desk.images()
    desk.ask("replicate", "a red fox", SCHNELL)
    desk.until(lambda: desk.images() == before + 1)
    desk.select_newest()
    for words in ("Replicate", SCHNELL, "$0.0030", "came back as 64 × 48"):
        desk.until(lambda words=words: words in desk.said())  # type: ignore[misc]
    assert len(desk.replicate.charges) == 1


@pytest.mark.parametrize("provider", ["openai", "replicate"])
def test_an_edit_of_a_dropped_picture(desk: Desk, picture: Path, provider: str) -> None:
    before = desk.images()
    desk.drop(picture)
    desk.ask(provider, "in the snow", KONTEXT if provider == "replicate" else "")
    desk.until(lambda: desk.images() == before + 1)
    if provider == "openai":
        form = form_of(desk.openai.seen("/edits")[0])
        assert form["image"].startswith(b"\x89PNG") and "mask" not in form
    else:
        [made] = desk.replicate.predictions.values()
        assert made.input["image"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("provider", ["openai", "replicate"])
def test_a_painted_mask(desk: Desk, picture: Path, provider: str) -> None:
    before = desk.images()
    desk.choose("providerCombo", provider)
    desk.choose("modelCombo", FILL if provider == "replicate" else "gpt-image-2.6-flare")
    desk.drop(picture)
    desk.paint()
    desk.ask(provider, "a hat", FILL if provider == "replicate" else "")
    desk.until(lambda: desk.images() == before + 1)
    if provider == "openai":
        assert form_of(desk.openai.seen("/edits")[0])["mask"].startswith(b"\x89PNG")
    else:
        [made] = desk.replicate.predictions.values()
        assert made.input["mask"].startswith("data:image/png;base64,")


def test_several_batches_at_the_same_time(desk: Desk) -> None:
    before = desk.images()
    gates = [desk.openai.gate("arrived"), desk.replicate.gate("arrived")]
    for provider, model in 2 * (("openai", "gpt-image-2"), ("replicate", SCHNELL)):
        desk.ask(provider, "many foxes", model, count=2)
    for gate in gates:
        desk.until(gate.reached.is_set)
    desk.ask("local", "a red circle")
    desk.until(lambda: desk.images() == before + 1)  # what is drawn here waits for nobody
    for gate in gates:
        gate.opened.set()
    desk.until(lambda: desk.images() == before + 9)
    assert (len(desk.openai.charges), len(desk.replicate.charges)) == (4, 4)


def test_cancel_leaves_at_once_and_is_heard(desk: Desk) -> None:
    before = desk.images()
    gate = desk.openai.gate("finished")
    desk.ask("openai", "a fox nobody wants")
    desk.until(gate.reached.is_set)
    desk.press("cancelButton")
    cancel = desk.find(QAbstractButton, "cancelButton")
    desk.until(lambda: not cancel.isEnabled())
    gate.opened.set()
    gate = desk.replicate.gate("polling")
    desk.ask("replicate", "a fox nobody wants", SCHNELL)
    desk.until(gate.reached.is_set)
    desk.press("cancelButton")
    desk.until(lambda: not cancel.isEnabled())
    gate.opened.set()
    assert [made.status for made in desk.replicate.predictions.values()] == ["canceled"]
    assert desk.images() == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_engine_has_never_met_a_key(desk: Desk) -> None:
    """After all that, with an engine that has drawn: not in its environment, its memory map or its memory."""
    engines = [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if b"--engine" in _read(process / "cmdline") and int(_parent(process) or 0) == os.getpid()
    ]
    assert len(engines) == 1
    assert hits_in_process(engines[0]) == []


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _parent(process: Path) -> bytes:
    return _read(process / "status").partition(b"PPid:")[2].partition(b"\n")[0]


@pytest.mark.parametrize("provider", ["openai", "replicate"])
def test_the_command_line_draws_several_batches_at_the_same_time(tmp_path: Path, provider: str) -> None:
    """Text, an edit and a mask, each a batch, by three processes on one home; every picture is paid for once."""
    (tmp_path / "in.png").write_bytes(png(SIDE, SIDE))
    (tmp_path / "mask.png").write_bytes(half_mask(SIDE, SIDE))
    models = {"": [], "in": ["--model", KONTEXT], "mask": ["--model", FILL]} if provider == "replicate" else {}
    options = {"": [], "in": ["--image", "in.png"], "mask": ["--image", "in.png", "--mask", "mask.png"]}
    with FakeOpenAI() as openai, FakeReplicate() as replicate:
        environment = os.environ | environment_of(tmp_path / "home", openai, replicate)

        def start(*arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "imagegen_desktop", *arguments, "--json"]
            return subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)

        calls = [
            start("generate", "a fox", "--provider", provider, "--count", "2", *option, *models.get(kind, []))
            for kind, option in options.items()
        ]
        events = [json.loads(line) for call in calls for line in call.communicate()[0].splitlines()]
        assert [call.returncode for call in calls] == [0, 0, 0]
        images = [event for event in events if event["event"] == "image"]
        charges = openai.charges if provider == "openai" else replicate.charges
        assert len({image["path"] for image in images}) == len(images) == len(charges) == 6
        assert {image["provider"] for image in images} == {provider}
        shown = json.loads(start("gallery", "list", "--limit", "10").communicate()[0])
        assert len(shown) == 6 and all(row["model"] for row in shown)


@pytest.mark.parametrize("provider", ["openai", "replicate"])
def test_the_command_line_cancels_what_another_process_asked_for(tmp_path: Path, provider: str) -> None:
    with FakeOpenAI() as openai, FakeReplicate() as replicate:
        environment = os.environ | environment_of(tmp_path / "home", openai, replicate)

        def start(*arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "imagegen_desktop", *arguments, "--json"]
            return subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)

        gate = openai.gate("finished") if provider == "openai" else replicate.gate("polling")
        drawing = start("generate", "a fox nobody wants", "--provider", provider)
        assert gate.reached.wait(PATIENCE_SECONDS)
        (job,) = json.loads(start("queue", "list").communicate()[0])
        cancelling = start("queue", "cancel", job["id"])
        cancelling.communicate()
        said = [json.loads(line) for line in drawing.communicate(timeout=PATIENCE_SECONDS)[0].splitlines()]
        gate.opened.set()  # the provider had not answered when the job was left
        assert cancelling.returncode == 0 and said[-1]["event"] == "cancelled"
        assert json.loads(start("gallery", "list").communicate()[0]) == []
        if provider == "replicate":
            assert [made.status for made in replicate.predictions.values()] == ["canceled"]
