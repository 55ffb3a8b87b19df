"""Drafting: the picture to start from and its mask, between the canvas and what keeps them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from ..domain.errors import Problem
from ..domain.image import GeneratedImage
from ..domain.outpainting import Sides
from ..domain.request import SourceImage
from ..services.assemble import Parts
from ..services.draft import DraftPicture
from .bridge import Bridge
from .canvas.mask import as_png
from .files import chosen_picture
from .main_window import MainWindow
from .pictures import encoded

_Found = tuple[DraftPicture, QImage, QImage | None]


class Drafting(QObject):
    """All that is kept is kept in turn, so that strokes, undoing and Generate never overtake each other."""

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge) -> None:
        super().__init__(window)
        self._window = window
        self._draft = parts.draft
        self._sources = parts.sources
        self._gallery = parts.gallery
        self._bridge = bridge
        self._prompt = window.panes.prompt
        self._stage = window.panes.stage
        self._shown: SourceImage | None = None
        self._strokes = 0

    def load(self) -> None:
        """What was begun before the window was closed, and what Undo brings back."""
        strokes = self._strokes
        self._ask(self._draft.now, lambda found: self._show(found, strokes))

    def start_from(self, picture: Path | QImage | GeneratedImage) -> None:
        """A dropped picture: kept by the sources, which decode strangers' files in a worker of their own."""
        self._stage.show_reading(True)

        def keep() -> DraftPicture:
            if isinstance(picture, GeneratedImage):
                source = self._sources.keep(self._gallery.file(picture), origin=picture.id)
            else:
                source = self._sources.keep(picture if isinstance(picture, Path) else encoded(picture))
            return self._draft.start_from(source)

        self._ask(keep, self._show)

    def choose_picture(self) -> None:
        path = chosen_picture(self._window, self.tr("Start from a picture"))
        if path:
            self.start_from(path)

    def remove(self) -> None:
        """Gone at once; Undo brings it back."""
        self._shown = None
        self._prompt.show_source(None)
        self._prompt.show_masked(False)
        self._stage.show_source("", QImage())
        self._bridge.ask(lambda: self._draft.start_from(None), None, self._say, in_turn=True)

    def keep_stroke(self, label: str, levels: QImage) -> None:
        """The mask after a stroke."""
        on, self._strokes = self._shown, self._strokes + 1
        if on is None:
            return
        self._prompt.show_masked(True)  # Generate may be pressed before it is kept; what was cleared says so then

        def keep() -> DraftPicture:
            return self._draft.paint(label, as_png(levels), on)

        self._bridge.ask(keep, lambda draft: self._prompt.show_masked(draft.mask is not None), self._say, in_turn=True)

    def extend(self, sides: Sides) -> None:
        multiple = self._stage.easel.multiple
        self._stage.show_reading(True)
        self._ask(lambda: self._draft.extend(sides, multiple), self._show)

    def _ask(self, call: Callable[[], DraftPicture], show: Callable[[_Found], None]) -> None:
        def ask() -> _Found:
            draft = call()
            image = QImage() if draft.image is None else QImage(str(self._sources.file(draft.image)))
            return draft, image, None if draft.mask is None else QImage(str(self._sources.file(draft.mask)))

        self._bridge.ask(ask, show, self._say, in_turn=True)

    def _show(self, found: _Found, strokes: int | None = None) -> None:
        """Unless the artist has painted on since it was asked for."""
        self._stage.show_reading(False)
        if strokes is not None and strokes != self._strokes:
            return
        draft, image, mask = found
        known = self._shown is not None and self._shown == draft.image
        self._shown = draft.image if not image.isNull() else None
        self._prompt.show_source(self._shown, exact=draft.extended)
        self._prompt.show_masked(mask is not None)
        name = draft.image.name if draft.image is not None else ""
        self._stage.show_source(name, self._stage.easel.source() if known else image, mask)

    def _say(self, problem: Problem) -> None:
        self._stage.show_reading(False)
        self._stage.messages.show_message("error", problem.message, problem.advice)
