"""Creating: from words to a job — style, source picture, forecast, Generate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QBuffer, QObject
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QFileDialog

from ..domain.errors import BadInput, Problem
from ..domain.request import GenerationRequest, SourceImage
from ..services.assemble import Parts
from ..services.ledger import money
from .bridge import Bridge
from .choosing import Choosing
from .latest import Latest
from .main_window import MainWindow
from .widgets.amounts import duration


class Creating(QObject):
    """From words to a job: style, source picture, forecast, Generate."""

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge, choosing: Choosing) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._bridge = bridge
        self._choosing = choosing
        self._forecasts = Latest(bridge, lambda problem: window.panes.prompt.show_forecast(""))
        self._prompt = window.panes.prompt
        self._stage = window.panes.stage

    def load(self) -> None:
        """What the panes need to know of styles."""
        self.load_styles(self._parts.settings.text("style"))

    def load_styles(self, chosen: str = "") -> None:
        self._bridge.ask(self._parts.styles.all, lambda styles: self._prompt.show_styles(styles, chosen))

    def use(self, request: GenerationRequest) -> None:
        """Everything that made another picture, on the prompt pane."""
        self._choosing.choose_for(request)
        self._prompt.show_request(request)

    def start_from(self, picture: Path | QImage) -> None:
        """A dropped picture: kept by the sources, which decode strangers' files in a worker of their own."""
        self._stage.show_reading(True)

        def keep() -> tuple[SourceImage, QImage]:
            source = self._parts.sources.keep(picture if isinstance(picture, Path) else _encoded(picture))
            return source, QImage(str(self._parts.sources.file(source)))

        self._bridge.ask(keep, self._show_source, self._refuse_source)

    def remove_source(self) -> None:
        self._prompt.show_source(None)
        self._stage.show_source(None)

    def read_settings(self, path: Path) -> None:
        self._bridge.ask(lambda: self._parts.gallery.settings_of(path).as_request(), self.use, self._refuse)

    def generate(self, priority: int = 0) -> None:
        """A more urgent wish makes the batch that runs wait at its next step."""
        self._prompt.messages.clear()
        try:
            request = replace(self.request(), priority=priority)
        except BadInput as problem:
            self._refuse(problem)
            return
        self._bridge.ask(lambda: self._parts.queue.add(request), None, self._refuse, in_turn=True)

    def request(self) -> GenerationRequest:
        """What panes and tool bar say now; raises BadInput for what cannot be typed."""
        bar = self._window.top_bar
        return replace(self._prompt.request(), model=bar.model() or None, provider=bar.provider())

    def _refuse(self, problem: Problem) -> None:
        self._prompt.messages.show_message("error", problem.message, problem.advice)

    def _show_source(self, found: tuple[SourceImage, QImage]) -> None:
        source, image = found
        self._stage.show_reading(False)
        self._prompt.show_source(source)
        self._stage.show_source(source, image)

    def _refuse_source(self, problem: Problem) -> None:
        self._stage.show_reading(False)
        self._stage.messages.show_message("error", problem.message, problem.advice)

    def forecast(self) -> None:
        """How long what the panes say now would take, and what it would cost."""
        try:
            request = self.request()
        except BadInput:
            return
        if not request.prompt.strip() and request.image is None:
            self._prompt.show_forecast("")
            return

        def ask() -> tuple[float | None, float | None, tuple[str, ...]]:
            complete = self._parts.compose.complete(request)
            fitted = self._parts.compose.fitted(complete)
            seconds, dollars = self._parts.forecast.seconds(fitted.request), self._parts.ledger.estimate(complete)
            return seconds, dollars, fitted.notes

        self._forecasts.ask(ask, lambda found: self._show_forecast(*found))

    def _show_forecast(self, seconds: float | None, dollars: float | None, notes: tuple[str, ...]) -> None:
        amounts = [duration(seconds)] if seconds else []
        amounts += [] if dollars is None else [money(dollars)]
        about = [self.tr("about {0}").format(" · ".join(amounts))] if amounts else []
        self._prompt.show_forecast(" · ".join((*about, *notes)), "\n".join(notes))

    def choose_picture(self) -> None:
        path = self._chosen_file(self.tr("Start from a picture"))
        if path:
            self.start_from(path)

    def choose_settings(self) -> None:
        path = self._chosen_file(self.tr("Read settings from a picture"))
        if path:
            self.read_settings(path)

    def _chosen_file(self, title: str) -> Path | None:
        pictures = self.tr("Pictures") + " (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff)"
        name, _ = QFileDialog.getOpenFileName(self._window, title, "", pictures)
        return Path(name) if name else None


def _encoded(image: QImage) -> bytes:
    """A picture from the clipboard or another program, as a file's bytes."""
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, b"png").write(image)
    return bytes(buffer.data().data())
