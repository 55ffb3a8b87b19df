"""Screenshots of every state of the window, light and dark, at 100 and 200 %: `python -m tests.screenshots FOLDER`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from imagegen_desktop.domain.download import Download, DownloadState

SIZES = {"1440x900": (1440, 900), "1024x640": (1024, 640)}
PATIENCE_SECONDS = 30


def main(arguments: list[str]) -> int:
    """One process for each look: the scale is decided before Qt starts."""
    folder = Path(arguments[0] if arguments else "screenshots").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("dark", "light"):
        for scale in ("1", "2"):
            for size in SIZES if scale == "1" else ["1440x900"]:
                environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale}
                command = [sys.executable, "-m", "tests.screenshots", "--one", theme, scale, size, str(folder)]
                subprocess.run(command, env=environment, check=True)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return 0


class Photographer:
    """Opens a window on a home of its own and takes it through its states."""

    def __init__(self, theme: str, scale: str, size: str, folder: Path, home: Path) -> None:
        from PySide6.QtWidgets import QApplication

        from imagegen_desktop.paths import Home
        from imagegen_desktop.services.assemble import assemble
        from imagegen_desktop.ui.application import open_window
        from tests.ui.scripted import ScriptedProvider, paper_model
        from tests.ui.scripted_cloud import ScriptedCloud

        self._name = f"{{}}-{theme}-{size}-{scale}00.png"
        self._folder = folder
        self.home = home
        if os.environ.get("SCREENSHOT_LANGUAGE"):
            os.environ["IMAGEGEN_DESKTOP_LANGUAGE"] = os.environ["SCREENSHOT_LANGUAGE"]
        paper_model(home, 512)
        self.provider = ScriptedProvider()
        self.parts = assemble(Home(home), providers={"local": self.provider, "openai": ScriptedCloud()})
        self.parts.settings.set("theme", theme)
        self.application = QApplication([])
        self.window = open_window(self.application, self.parts)
        self.window.resize(*SIZES[size])
        self.settle(50)
        self.window.reset_layout()
        self.window.panes.prompt.focus_prompt()

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("the window did not come to the state to be photographed")
            self.settle(10)

    def settle(self, milliseconds: int = 250) -> None:
        from PySide6.QtTest import QTest

        for _ in range(max(1, milliseconds // 10)):  # in between the threads come to their turn
            QTest.qWait(10)

    def take(self, state: str, widget: object = None) -> None:
        self.settle()
        target = widget or self.window
        target.grab().save(str(self._folder / self._name.format(state)))  # type: ignore[attr-defined]

    def engine(self, state: str, message: str = "") -> None:
        from imagegen_desktop.domain.engine_status import EngineStatus
        from imagegen_desktop.services.announce import EngineChanged

        status = EngineStatus(state=state, device="cpu", device_name="CPU", message=message)
        self.parts.announce.publish(EngineChanged(status=status))

    def find(self, kind: type, name: str) -> object:
        return self.window.findChild(kind, name)

    def prompt(self, words: str, negative: str = "") -> None:
        self.window.panes.prompt.show_prompt(words, negative)

    def generate(self, times: int = 1) -> None:
        for _ in range(times):
            self.window.actions_["generate"].trigger()
            self.settle(60)

    def close(self) -> None:
        self.provider.release()
        self.window.close()


def photograph(theme: str, scale: str, size: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        one = Photographer(theme, scale, size, folder, Path(place) / "home")
        try:
            _beginnings(one)
            _drawing(one)
            _many(one)
            _troubles(one)
            _clouds(one)
            _making(one)
            _adding(one)
            _dialogs(one)
        finally:
            one.close()


WORDS = "hills under a low sun, wide valley with a quiet lake, morning mist between the trees, soft light"


def _beginnings(one: Photographer) -> None:
    from imagegen_desktop.services.announce import ModelsChanged

    one.wait(lambda: one.window.top_bar.model() == "paper")
    one.settle(300)
    one.engine("starting")
    one.take("empty")
    one.window.panes.prompt.show_offer(None)
    one.window.panes.stage.welcome.show_no_model()
    one.take("no-model")
    one.window.panes.stage.canvas.show_drop_hint(True)
    one.take("drop")
    one.window.panes.stage.canvas.show_drop_hint(False)
    one.parts.announce.publish(ModelsChanged())
    one.settle()
    one.engine("ready")


def _drawing(one: Photographer) -> None:
    from PySide6.QtWidgets import QSpinBox

    one.prompt(WORDS, "people, text")
    for name, value in (("countSpin", 4), ("stepsSpin", 8)):
        one.find(QSpinBox, name).setValue(value)  # type: ignore[attr-defined]
    one.generate(4)
    one.wait(lambda: one.parts.gallery.count() >= 16)
    images = one.parts.gallery.page(limit=3)
    one.parts.gallery.rate([images[1].id], 4)
    one.provider.hold()
    one.generate(3)
    one.engine("busy")
    one.provider.allow(16 + 5)
    one.wait(lambda: one.parts.gallery.count() >= 18)
    one.take("drawing")
    one.window.panes.gallery.view.setFocus()
    one.window.panes.gallery.step(2)
    one.take("selected")
    one.parts.queue.pause_all()
    one.provider.release()
    one.wait(lambda: one.parts.gallery.count() >= 20)
    one.engine("ready")
    one.take("paused")


def _many(one: Photographer) -> None:
    """Thirty jobs, the first of them being drawn."""
    one.provider.hold()
    one.prompt("a small house in the rain")
    one.generate(30)
    one.provider.allow(3)
    one.wait(lambda: len(one.parts.queue.jobs()) >= 30)
    one.take("many-jobs")
    one.parts.queue.cancel([job.id for job in one.parts.queue.jobs() if job.state.value in ("queued", "running")])
    one.provider.release()
    one.wait(lambda: not any(job.state.value in ("queued", "running") for job in one.parts.queue.jobs()))
    one.parts.queue_edits.clear_finished()


def _troubles(one: Photographer) -> None:
    one.parts.queue.cancel([job.id for job in one.parts.queue.jobs() if job.state.value == "queued"])
    one.parts.queue.resume_all()
    one.prompt("a small house in the rain [memory]")
    one.generate()
    one.wait(lambda: any(job.state.value == "failed" for job in one.parts.queue.jobs()))
    one.engine("restarting", "It ended with signal 9 (killed).")
    one.take("engine-restarting")
    from imagegen_desktop.services.announce import Notice

    for level, text in (("error", "There is no room left on the disk."), ("info", "Stable Diffusion XL is here.")):
        one.parts.announce.publish(Notice(level=level, text=text, advice="Free some room." if level == "error" else ""))
    one.take("messages")
    one.engine("ready")
    for text in ("There is no room left on the disk.", "Stable Diffusion XL is here."):
        one.window.panes.stage.messages.clear(text)
    from PySide6.QtWidgets import QLineEdit

    one.find(QLineEdit, "seedEdit").setText("99999999999999999999")  # type: ignore[attr-defined]
    one.generate()
    one.take("error")
    one.find(QLineEdit, "seedEdit").clear()  # type: ignore[attr-defined]
    one.window.panes.prompt.messages.clear()


def _clouds(one: Photographer) -> None:
    """A paid provider: without a key, with money in the forecast; and a suggestion."""
    from PySide6.QtWidgets import QAbstractButton, QComboBox

    providers = one.find(QComboBox, "providerCombo")
    for place in (1, 0):
        if place == 0:
            one.window.actions_["enhance"].trigger()
            accept = one.find(QAbstractButton, "acceptSuggestionButton")
            one.wait(accept.isVisible)  # type: ignore[attr-defined]
        providers.setCurrentIndex(place)  # type: ignore[attr-defined]
        providers.activated.emit(place)  # type: ignore[attr-defined]
        one.prompt("a small house in the rain")
        one.settle(400)
        one.take("cloud" if place else "suggestion")
    one.window.panes.prompt.suggestion.dismissed.emit()


def _making(one: Photographer) -> None:
    """A picture to start from: a mask painted on it, its frame pulled, a model that cannot; and two compared."""
    from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QAbstractButton

    stage, left, plain = one.window.panes.stage, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    image = one.parts.gallery.page(limit=5)[4]
    stage.canvas.picture_dropped.emit(one.parts.gallery.file(image))
    one.wait(stage.easel.bar.isVisible)
    one.take("image-to-image")

    def drag(*points: tuple[float, float]) -> None:
        places = [stage.canvas.view.to_widget(QRectF(QPointF(*at), QSizeF(1, 1))).topLeft().toPoint() for at in points]
        QTest.mousePress(stage.canvas, left, plain, places[0])
        for place in places[1:]:
            QTest.mouseMove(stage.canvas, place)
        QTest.mouseRelease(stage.canvas, left, plain, places[-1])

    QTest.mouseClick(one.find(QAbstractButton, "brushTool"), left)
    drag((120, 140), (220, 110), (330, 150), (380, 120))
    QTest.mouseClick(one.find(QAbstractButton, "lassoTool"), left)
    drag((180, 260), (320, 250), (360, 380), (200, 400))
    one.take("mask")
    QTest.mouseClick(one.find(QAbstractButton, "extendTool"), left)
    one.settle(50)
    edge = stage.canvas.view.to_widget(QRectF(QPointF(511, 256), QSizeF(1, 1))).topLeft().toPoint()
    QTest.mousePress(stage.canvas, left, plain, edge)
    QTest.mouseMove(stage.canvas, edge + _right(60))
    one.take("extend")
    QTest.mouseRelease(stage.canvas, left, plain, edge + _right(60))
    one.wait(lambda: stage.canvas.picture().width() > 512)
    one.take("extended")
    stage.easel.show_missing("Paper cannot paint inside a mask. Choose a model that can.")
    one.take("mask-missing")
    stage.easel.show_missing("")
    first, second = one.parts.gallery.page(limit=2)
    one.window.panes.gallery.compare_requested.emit([first, second])
    one.wait(stage.comparison.isVisible)
    one.take("compare")
    QTest.mouseClick(one.find(QAbstractButton, "closeCompareButton"), left)


def _adding(one: Photographer) -> None:
    """Two LoRAs, one of them for another model, and a ControlNet with a picture's edges."""
    from PySide6.QtWidgets import QComboBox, QScrollArea, QToolButton

    from imagegen_desktop.domain.request import GenerationRequest, LoraWeight
    from imagegen_desktop.services.announce import ModelsChanged
    from imagegen_desktop.ui.panes.control_row import ControlRow
    from imagegen_desktop.ui.panes.image_prompt_row import ImagePromptRow
    from tests.ui.test_additions import put_controlnet, put_ip_adapter, put_lora

    put_lora(one.home, "ink-and-wash", "ink drawing, loose brush")
    put_controlnet(one.home)
    one.parts.models.refresh()
    one.parts.announce.publish(ModelsChanged())
    pane = one.window.panes.prompt
    button = pane.additions.findChild(QComboBox, "vaeCombo")
    one.settle(300)
    loras = (LoraWeight(name="ink-and-wash", weight=0.8), LoraWeight(name="not-here"))
    pane.additions.show_request(GenerationRequest(prompt=WORDS, loras=loras))
    pane.findChild(QToolButton, "addControlButton").click()
    row = pane.additions.findChild(ControlRow)
    row.picture_dropped.emit(one.parts.gallery.file(one.parts.gallery.page(limit=5)[4]))
    one.wait(lambda: row.value() is not None)
    kinds = row.findChild(QComboBox, "preparationCombo")
    kinds.setCurrentIndex(kinds.findData("canny"))
    one.settle(300)
    pane.findChild(QScrollArea).ensureWidgetVisible(button)
    one.take("additions")
    put_ip_adapter(one.home)
    one.parts.models.refresh()
    one.parts.announce.publish(ModelsChanged())
    adder = pane.findChild(QToolButton, "addImagePromptButton")
    one.wait(adder.isEnabled)
    pane.additions.show_request(GenerationRequest(prompt=WORDS))
    adder.click()
    shown = pane.additions.findChild(ImagePromptRow)
    combo = shown.findChild(QComboBox, "imagePromptCombo")
    combo.setCurrentIndex(combo.findData("lonely"))
    one.wait(shown.needed.isVisible)
    one.settle(100)
    pane.findChild(QScrollArea).ensureWidgetVisible(button)
    one.take("needs")
    pane.additions.show_request(GenerationRequest(prompt=WORDS))


def _right(pixels: int) -> object:
    from PySide6.QtCore import QPoint

    return QPoint(pixels, 0)


def _dialogs(one: Photographer) -> None:
    from PySide6.QtWidgets import QDialog, QFrame, QLineEdit

    from imagegen_desktop.services.announce import DownloadChanged
    from imagegen_desktop.ui.dialogs.command_palette import CommandPalette

    one.window.actions_["settings"].trigger()
    one.take("settings", one.find(QDialog, "settingsDialog"))
    one.find(QDialog, "settingsDialog").show_keys()  # type: ignore[attr-defined]
    one.wait(lambda: one.find(QLineEdit, "openaiKeyEdit") is not None)
    one.take("keys", one.find(QDialog, "settingsDialog"))
    one.window.panes.queue.edit_requested.emit(one.parts.queue.jobs()[:2])
    one.take("edit-jobs", one.find(QDialog, "editJobsDialog"))
    _sheet(one)
    one.window.actions_["models"].trigger()
    one.take("models", one.find(QDialog, "modelsDialog"))
    one.find(QDialog, "modelsDialog").turn_to_get()  # type: ignore[attr-defined]
    one.take("models-get", one.find(QDialog, "modelsDialog"))
    for download in _downloads():
        one.parts.announce.publish(DownloadChanged(download=download))
    one.take("downloading", one.find(QDialog, "modelsDialog"))
    one.window.actions_["palette"].trigger()
    one.take("palette", next(frame for frame in one.window.findChildren(QFrame) if isinstance(frame, CommandPalette)))
    for dialog in one.window.findChildren(QDialog):
        dialog.close()


def _downloads() -> list[Download]:
    running = Download(
        key="a",
        id="stabilityai/stable-diffusion-xl-base-1.0",
        title="stable-diffusion-xl-base-1.0",
        revision="1",
        state=DownloadState.RUNNING,
        size=6_900_000_000,
        received=2_400_000_000,
        speed=11_000_000.0,
    )
    paused = replace(running, key="b", title="FLUX.2-klein-4B", state=DownloadState.PAUSED, speed=0.0)
    error = {"kind": "unreachable", "message": "huggingface.co does not answer.", "advice": "Look at the connection."}
    return [running, paused, replace(paused, key="c", title="Z-Image-Turbo", state=DownloadState.FAILED, error=error)]


def _sheet(one: Photographer) -> None:
    from PySide6.QtWidgets import QDialog, QListWidget, QPushButton

    one.prompt(WORDS)
    one.window.actions_["contactSheet"].trigger()
    one.settle(400)
    one.take("sheet-empty", one.find(QDialog, "sheetDialog"))
    one.find(QPushButton, "drawSheetButton").click()  # type: ignore[attr-defined]
    one.wait(lambda: len(one.parts.sheets.jobs()) == 12)
    one.wait(lambda: all(job.state.value == "paused" for job in one.parts.sheets.jobs()))
    view = one.find(QListWidget, "sheetView")
    one.wait(lambda: "…" not in view.item(11).text())  # type: ignore[attr-defined]
    for row in (1, 6):
        view.item(row).setSelected(True)  # type: ignore[attr-defined]
    one.take("sheet", one.find(QDialog, "sheetDialog"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        photograph(*sys.argv[2:5], Path(sys.argv[5]))
    else:
        raise SystemExit(main(sys.argv[1:]))
