"""Enlarging, decoding again and comparing finished pictures: wishes of the gallery, done in the pool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from ..domain.errors import NotFound, Problem
from ..domain.image import GeneratedImage
from ..services.assemble import Parts
from ..services.decoding import autoencoders, decoding
from ..services.enlarging import Enlargers, upscaling
from .bridge import Bridge
from .main_window import MainWindow
from .pictures import decoded

_Pair = tuple[QImage, QImage, tuple[str, str]]


class Enlarging(QObject):
    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge) -> None:
        super().__init__(window)
        self._parts = parts
        self._bridge = bridge
        self._enlargers = Enlargers(parts.models)
        self._pane = window.panes.gallery
        self._details = window.panes.details
        self._stage = window.panes.stage

    def load(self) -> None:
        """Who can enlarge and decode, for the gallery's menu."""
        self._bridge.ask(self._enlargers.names, self._pane.show_upscalers)
        self._bridge.ask(lambda: autoencoders(self._parts.models), self._pane.show_autoencoders)

    def decode_again(self, images: list[GeneratedImage], autoencoder: str) -> None:
        """A job for each, which knows the picture as its parent; the model's own autoencoder for none."""

        def add() -> None:
            self._parts.queue.add_many([decoding(image, autoencoder or None) for image in images])

        self._bridge.ask(add, None, self._say, in_turn=True)

    def upscale(self, images: list[GeneratedImage], factor: float, upscaler: str) -> None:
        """A job for each; it keeps the picture's words and knows it as its parent."""

        def add() -> None:
            wishes = []
            for image in images:
                source = self._parts.sources.keep(self._parts.gallery.file(image), origin=image.id)
                wishes.append(upscaling(source, factor, image.request, upscaler))
            self._parts.queue.add_many(wishes)

        self._bridge.ask(add, None, self._say, in_turn=True)

    def upscale_selected(self, factor: float) -> None:
        self._with_chosen(lambda images: self.upscale(images, factor, ""))

    def compare_selected(self) -> None:
        self._with_chosen(self.compare)

    def compare(self, images: list[GeneratedImage]) -> None:
        """Two pictures, the older one before; or one with what it was made from."""
        self._bridge.ask(lambda: self._pair(images), self._show, self._say)

    def _with_chosen(self, deed: Callable[[list[GeneratedImage]], None]) -> None:
        """What is selected in the gallery; else the picture that the details tell of, as after it was drawn."""
        told = self._details.image()
        if self._pane.current() is None and told is not None:
            deed([told])
        else:
            self._pane.with_selected(deed)

    def _pair(self, images: list[GeneratedImage]) -> _Pair:
        if len(images) > 1:
            first, second = sorted(images[:2], key=lambda image: image.number)
            return self._opened(self._parts.gallery.file(first), second, (_name(first), _name(second)))
        [image] = images
        if image.parents:
            parent = self._parts.gallery.get(image.parents[0])
            return self._opened(self._parts.gallery.file(parent), image, (self.tr("Before"), self.tr("After")))
        if image.request.image is not None:
            source = self._parts.sources.file(image.request.image)
            return self._opened(source, image, (self.tr("Before"), self.tr("After")))
        raise NotFound(self.tr("This picture was made from words alone."), self.tr("Choose two pictures to compare."))

    def _opened(self, before: Path, after: GeneratedImage, names: tuple[str, str]) -> _Pair:
        pictures = decoded(before), decoded(self._parts.gallery.file(after))
        if any(picture.isNull() for picture in pictures):
            raise NotFound(self.tr("The file of this picture is not there any more."))
        return *pictures, names

    def _show(self, pair: _Pair) -> None:
        self._stage.show_comparison(*pair)

    def _say(self, problem: Problem) -> None:
        self._stage.messages.show_message("info", problem.message, problem.advice)


def _name(image: GeneratedImage) -> str:
    return " ".join(image.request.prompt.split()) or f"{image.width} × {image.height}"
