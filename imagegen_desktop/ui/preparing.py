"""Preparing: pictures of depths and poses for ControlNets — the networks that make them are fetched where they lack."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from ..domain.download import Download
from ..domain.errors import Problem
from ..domain.model_card import PREPARED_BY
from ..services import estimators
from ..services.assemble import Parts
from ..services.estimators import Estimator
from .bridge import Bridge
from .panes.additions import Additions
from .panes.control_row import ControlRow


class Preparing(QObject):
    """Serves the rows of ControlNets, as many as there are at the time."""

    def __init__(self, pane: Additions, parts: Parts, bridge: Bridge) -> None:
        super().__init__(pane)
        self._pane = pane
        self._parts = parts
        self._bridge = bridge

    def serve(self, row: object) -> None:
        """A row that came."""
        if isinstance(row, ControlRow):
            row.preparation_chosen.connect(self._look)
            row.needed.fetch_wanted.connect(lambda: self._fetch(row.preparation))

    def look_again(self) -> None:
        """Models came or went."""
        for preparation in {row.preparation for row in self._rows()}:
            self._look(preparation)

    def show_download(self, download: Download) -> None:
        for row in self._rows():
            row.needed.show_download(download)

    def _show_downloads(self, begun: Sequence[Download]) -> None:
        for download in begun:
            self.show_download(download)

    def _look(self, preparation: str) -> None:
        if preparation in PREPARED_BY:
            self._bridge.ask(
                lambda: estimators.missing(self._parts.models, preparation),
                lambda missing: self._show(preparation, missing),
            )
        else:
            self._show(preparation, [])

    def _show(self, preparation: str, missing: Sequence[Estimator]) -> None:
        for row in self._rows(preparation):
            row.needed.show_missing(missing)

    def _fetch(self, preparation: str) -> None:
        parts = self._parts

        def show_problem(problem: Problem) -> None:
            for row in self._rows(preparation):
                row.needed.show_problem(problem)

        self._bridge.ask(
            lambda: estimators.fetch(parts.models, parts.downloads, preparation),
            self._show_downloads,
            show_problem,
        )

    def _rows(self, preparation: str = "") -> list[ControlRow]:
        return [row for row in self._pane.findChildren(ControlRow) if preparation in ("", row.preparation)]
