"""Getting: models from the hub — what would come, what is on its way, and what suits this computer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from ..domain.download import Download
from ..domain.errors import Problem
from ..paths import resources
from ..services.assemble import Parts
from ..services.downloads import HubOffer
from ..services.recommended import Machine, RecommendedModel, best_of, read_recommended
from .bridge import Bridge
from .theme import Theme

if TYPE_CHECKING:
    from .dialogs.models_get import ModelsGet

_Found = tuple[list[RecommendedModel], Machine, bool]


class Getting(QObject):
    """Serves one page of the models window, and lives as long as it."""

    def __init__(self, page: ModelsGet, parts: Parts, bridge: Bridge, theme: Theme) -> None:
        super().__init__(page)
        self._page = page
        self._downloads = parts.downloads
        self._bridge = bridge
        self._theme = theme
        self._open = True
        page.look_requested.connect(self._look)
        page.offer.accepted.connect(self._accept)
        page.offer.page_wanted.connect(_open_page)
        bridge.ask(lambda: look_at_machine(parts), self._show_recommended)
        bridge.ask(self._downloads.all, self._show_downloads)

    def close(self) -> None:
        """The page is going: what is still under way has nobody to tell."""
        self._open = False

    def show_download(self, download: Download) -> None:
        """A model on its way came further."""
        row = self._page.show_download(download) if self._open else None
        if row is not None:
            row.pause_requested.connect(self._deed(self._downloads.pause))
            row.resume_requested.connect(self._deed(self._downloads.resume))
            row.cancel_requested.connect(self._deed(self._downloads.cancel))
            self._theme.dress(row)

    def _show_downloads(self, found: list[Download]) -> None:
        for download in found:
            self.show_download(download)

    def _show_recommended(self, found: _Found) -> None:
        if self._open:
            models, machine, _ = found
            best = best_of(models, machine)
            self._page.show_recommended(models, best.id if best is not None else "", machine)
            self._theme.dress(self._page)

    def _look(self, text: str) -> None:
        self._page.show_busy(text)
        self._bridge.ask(lambda: self._downloads.look(text), self._show_offer, self._show_problem)

    def _show_offer(self, offer: HubOffer) -> None:
        if self._open:
            self._page.show_offer(offer)

    def _show_problem(self, problem: Problem) -> None:
        if self._open:
            self._page.show_problem(problem)

    def _accept(self, offer: HubOffer) -> None:
        self._page.offer.hide()
        self._bridge.ask(lambda: self._downloads.start(offer), None, self._show_problem)

    def _deed(self, deed: Callable[[str], object]) -> Callable[[str], None]:
        return lambda key: self._bridge.ask(lambda: deed(key), None, self._show_problem)


def look_at_machine(parts: Parts) -> _Found:
    """The list of recommended models, what this computer is, and whether there is no model but the program's own."""
    import psutil

    status = parts.engines.first.status()
    memory = status.memory_total or int(psutil.virtual_memory().total)
    alone = all(card.built_in for card in parts.models.all())
    listed = read_recommended(resources() / "models" / "recommended.toml")
    return listed, Machine(memory_bytes=memory, has_gpu=status.device.startswith(("cuda", "mps"))), alone


def first_offer(found: _Found) -> str:
    """The title of the model to offer to an artist who has only ours; empty for anybody else."""
    models, machine, alone = found
    best = best_of(models, machine)
    return best.title if alone and best is not None else ""


def _open_page(page: str) -> None:
    if page.startswith("https://"):
        QDesktopServices.openUrl(QUrl(page))
