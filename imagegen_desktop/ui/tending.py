"""Tending: what is done with a model that is here — checked, converted, completed, put into the bin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from ..domain.download import Download
from ..domain.errors import Problem
from ..domain.model_card import ModelCard
from ..services import image_encoders, needed
from ..services.assemble import Parts
from ..services.model_files import CHANGED, OK, RECORDED, ModelFiles, Verdict
from .bridge import Bridge

if TYPE_CHECKING:
    from .dialogs.models import ModelsDialog


class Tending(QObject):
    """Serves the page of the models window about those on this computer; `changed` is told when they are others."""

    def __init__(self, dialog: ModelsDialog, parts: Parts, bridge: Bridge, changed: Callable[[], object]) -> None:
        super().__init__(dialog)
        self._parts = parts
        self._bridge = bridge
        self._changed = changed
        self._files = ModelFiles(parts.models)
        self._dialog = dialog
        self._messages = dialog.messages
        self._open = True
        dialog.finished.connect(lambda _: self._close())
        here = dialog.here
        here.folder_wanted.connect(lambda card: _show(Path(card.path).parent))
        here.checksum_wanted.connect(self._check)
        here.convert_requested.connect(self._convert)
        here.completion_wanted.connect(self._complete)
        here.remove_requested.connect(lambda card: self._ask(lambda: parts.model_bin.remove(card)))
        here.remove_broken_requested.connect(lambda name: self._ask(lambda: parts.model_bin.remove_broken(name)))

    def _close(self) -> None:
        self._open = False

    def _check(self, card: ModelCard) -> None:
        self._say("info", self.tr("Reading {0}…").format(card.name))
        self._bridge.ask(lambda: self._files.verify(card.name)[0], self._show_verdict, self._refuse)

    def _show_verdict(self, verdict: Verdict) -> None:
        words = {OK: self.tr("Unchanged"), RECORDED: self.tr("Recorded now"), CHANGED: self.tr("Changed since")}
        lines = "\n".join(f"{name}: {value}" for name, value in verdict.sha256.items())
        copy = (self.tr("Copy"), lambda: QGuiApplication.clipboard().setText(lines))
        said = f"{verdict.name} · SHA-256 · {words.get(verdict.state, verdict.detail)}"
        level = "info" if verdict.state in (OK, RECORDED) else "error"
        if self._open:
            self._messages.show_message(level, said, lines, copy)

    def _convert(self, name: str) -> None:
        self._say("info", self.tr("Converting {0} apart from everything else…").format(name))
        find = self._parts.model_bin.find_broken
        self._bridge.ask(lambda: self._files.convert(find(name)), self._converted, self._refuse)

    def _converted(self, made: list[Path]) -> None:
        self._say("info", self.tr("{0} is here.").format(", ".join(path.name for path in made)))
        self._changed()

    def _complete(self, card: ModelCard) -> None:
        encoders = image_encoders.missing(card)
        if encoders:
            self._say("info", self.tr("Asking the hub…"))
            downloads = self._parts.downloads
            self._bridge.ask(lambda: needed.fetch(downloads, encoders), self._begun, self._refuse)
            return
        self._say("info", self.tr("Fetching configs and tokenizers…"))
        self._bridge.ask(lambda: self._parts.kits.fetch(card.family), lambda _: self._completed(), self._refuse)

    def _begun(self, downloads: list[Download]) -> None:
        self._say("info", self.tr("{0} is on its way.").format(", ".join(download.title for download in downloads)))
        if self._open:
            self._dialog.turn_to_get()

    def _completed(self) -> None:
        if self._open:
            self._messages.clear()

    def _ask(self, deed: Callable[[], object]) -> None:
        self._bridge.ask(deed, None, self._refuse)

    def _refuse(self, problem: Problem) -> None:
        self._say("error", problem.message, problem.advice)

    def _say(self, level: str, text: str, advice: str = "") -> None:
        if self._open:
            self._messages.show_message(level, text, advice)


def _show(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
