"""Adding: what the library has beside models, onto the prompt pane, and the pictures some of it is shown."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from ..domain.errors import Problem
from ..domain.model_card import CONTROLNET, EMBEDDING, IP_ADAPTER, LORA, VAE
from ..domain.request import SourceImage
from ..services.assemble import Parts
from .bridge import Bridge
from .files import chosen_picture
from .main_window import MainWindow
from .panes.picture_row import PictureRow
from .pictures import encoded, from_rows


class Adding(QObject):
    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge) -> None:
        super().__init__(window)
        self._window = window
        self._models = parts.models
        self._sources = parts.sources
        self._bridge = bridge
        self._prompt = window.panes.prompt

    def load(self) -> None:
        """Reads the library's shelves."""
        self._bridge.ask(
            lambda: {kind: self._models.extras(kind) for kind in (LORA, EMBEDDING, VAE, CONTROLNET, IP_ADAPTER)},
            self._prompt.additions.show_library,
        )

    def choose_picture(self, row: PictureRow) -> None:
        path = chosen_picture(self._window, row.picture_title)
        if path:
            self.keep_picture(row, path)

    def keep_picture(self, row: PictureRow, picture: Path | QImage) -> None:
        """A dropped picture, kept by the sources, which decode strangers' files in a worker of their own."""
        self._bridge.ask(
            lambda: self._sources.keep(picture if isinstance(picture, Path) else encoded(picture)),
            row.show_source,
            self._say,
            asker=row,
        )

    def look(self, row: PictureRow, source: SourceImage, preparation: str) -> None:
        """What will be shown, small."""

        def ask() -> QImage:
            shown = self._sources.look(source, preparation)
            return from_rows(shown.width, shown.height, shown.rgb)

        self._bridge.ask(ask, lambda image: row.show_look(source, preparation, image), self._say, asker=row)

    def _say(self, problem: Problem) -> None:
        self._prompt.messages.show_message("error", problem.message, problem.advice)
