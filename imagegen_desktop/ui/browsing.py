"""Browsing: the selected image on the canvas, in the details and on the full screen; rating, tagging, the bin."""

from __future__ import annotations

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QImage

from ..domain.errors import Problem
from ..domain.image import GeneratedImage
from ..services.announce import ImagesChanged
from ..services.assemble import Parts
from .bridge import Bridge
from .dialogs.full_screen import FullScreen
from .latest import Latest
from .main_window import MainWindow
from .pictures import Pictures


class Browsing(QObject):
    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge) -> None:
        super().__init__(window)
        self._window = window
        self._gallery = parts.gallery
        self._bridge = bridge
        self._pictures = Pictures(bridge)
        self._pane = window.panes.gallery
        self._details = window.panes.details
        self._stage = window.panes.stage
        self._details.show_providers(
            {
                name: provider.capabilities().title
                for name, provider in parts.providers.items()
                if not provider.capabilities().local
            }
        )
        self._notes = Latest(bridge)
        self._full_screen = FullScreen(window)
        self._full_screen.step_requested.connect(self._pane.step)
        self._showing, self._loading = "", False

    def select(self, image: GeneratedImage | None) -> None:
        """The gallery's current image; None when there is none any more."""
        self._tell(image)
        if image is None:
            self._showing = ""
        elif image.id != self._showing:
            self._look(image)

    def look_again(self, image: GeneratedImage) -> None:
        """The current image was clicked: it comes back when another picture is on the canvas meanwhile."""
        if image.id == self._showing and not self._loading and self._stage.shown() != (image.job, image.index):
            self._look(image)

    def _look(self, image: GeneratedImage) -> None:
        self._showing, self._loading = image.id, True
        self._pictures.load(self._gallery.file(image), lambda picture: self._show(image, picture))

    def show_news(self, news: ImagesChanged) -> None:
        """A picture that has just been finished, and is on the canvas, is told of in the details."""
        if news.added and not self._stage.looks_elsewhere():
            newest = news.added[-1]
            self._bridge.ask(lambda: self._gallery.get(newest), self._tell, lambda problem: None)

    def _tell(self, image: GeneratedImage | None) -> None:
        self._details.show_image(image)
        if image is not None:
            notes = self._gallery.notes
            self._notes.ask(lambda: (image.id, notes(image)), lambda found: self._details.show_notes(*found))

    def show_full_screen(self) -> None:
        """The picture on the canvas, on the whole screen."""
        picture = self._stage.canvas.picture()
        if not picture.isNull():
            self._full_screen.show_picture(picture)
            self._full_screen.showFullScreen()

    def rate(self, images: list[GeneratedImage] | GeneratedImage, rating: int) -> None:
        ids = _ids(images)
        self._bridge.ask(lambda: self._gallery.rate(ids, rating), None, self._say)

    def tag(self, image: GeneratedImage, tags: tuple[str, ...]) -> None:
        add = [tag for tag in tags if tag not in image.tags]
        remove = [tag for tag in image.tags if tag not in tags]
        self._bridge.ask(lambda: self._gallery.tag([image.id], add, remove), None, self._say)

    def bin(self, images: list[GeneratedImage]) -> None:
        ids = _ids(images)
        self._bridge.ask(lambda: self._gallery.delete(ids), lambda _: self._binned(len(ids)), self._say)

    def show_in_folder(self, image: GeneratedImage) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._gallery.file(image).parent)))

    def _show(self, image: GeneratedImage, picture: QImage) -> None:
        if image.id != self._showing:
            return
        self._loading = False
        if picture.isNull():
            said = self.tr("The file of this picture is not there any more.")
            self._stage.messages.show_message("warning", said, image.path)
            return
        self._stage.show_picture(picture, (image.job, image.index))
        self._full_screen.show_picture(picture)

    def _binned(self, count: int) -> None:
        said = self.tr("%n picture(s) moved to the bin.", "", count)
        undo = (self.tr("Undo"), self._window.actions_["undo"].trigger)
        self._stage.messages.show_message("info", said, "", undo, passing=True)

    def _say(self, problem: Problem) -> None:
        self._stage.messages.show_message("error", problem.message, problem.advice)


def _ids(images: list[GeneratedImage] | GeneratedImage) -> list[str]:
    found = images if isinstance(images, list) else [images]
    return [image.id for image in found]
