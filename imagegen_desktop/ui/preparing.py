"""Preparing: what the pictures of ControlNets and IP-Adapters need before they act is fetched where it is lacking."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from ..domain.download import Download
from ..domain.errors import Problem
from ..domain.model_card import IP_ADAPTER, PREPARED_BY
from ..services import estimators, image_encoders, needed
from ..services.assemble import Parts
from ..services.needed import NeededNetwork
from .bridge import Bridge
from .panes.additions import Additions
from .panes.picture_row import Need, PictureRow


class Preparing(QObject):
    """Serves the rows with pictures, as many as there are at the time."""

    def __init__(self, pane: Additions, parts: Parts, bridge: Bridge) -> None:
        super().__init__(pane)
        self._pane = pane
        self._parts = parts
        self._bridge = bridge

    def serve(self, row: PictureRow) -> None:
        """A row that came."""
        row.need_changed.connect(lambda: self._look(row.need))
        row.needed.fetch_wanted.connect(lambda: self._fetch(row.need))
        self._look(row.need)

    def look_again(self) -> None:
        """Models came or went."""
        for need in {row.need for row in self._rows()}:
            self._look(need)

    def show_download(self, download: Download) -> None:
        for row in self._rows():
            row.needed.show_download(download)

    def _show_downloads(self, begun: Sequence[Download]) -> None:
        for download in begun:
            self.show_download(download)

    def _missing(self, need: Need) -> list[NeededNetwork]:
        kind, name = need
        if kind == IP_ADAPTER:
            cards = self._parts.models.extras(kind)
            return [network for card in cards if card.name == name for network in image_encoders.missing(card)]
        return estimators.missing(self._parts.models, name) if name in PREPARED_BY else []

    def _look(self, need: Need) -> None:
        self._bridge.ask(lambda: self._missing(need), lambda missing: self._show(need, missing))

    def _show(self, need: Need, missing: Sequence[NeededNetwork]) -> None:
        for row in self._rows(need):
            row.show_missing(missing)

    def _fetch(self, need: Need) -> None:
        def show_problem(problem: Problem) -> None:
            for row in self._rows(need):
                row.needed.show_problem(problem)

        downloads = self._parts.downloads
        self._bridge.ask(lambda: needed.fetch(downloads, self._missing(need)), self._show_downloads, show_problem)

    def _rows(self, need: Need | None = None) -> list[PictureRow]:
        return [row for row in self._pane.findChildren(PictureRow) if need in (None, row.need)]
