"""What a choice still needs from the hub: how much, under which licence, and how far it has come, in place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QProgressBar, QPushButton, QVBoxLayout

from ...domain.download import Download, DownloadState
from ...domain.errors import Problem
from ...services.needed import NeededNetwork
from ..languages import in_our_words
from ..widgets.amounts import size
from ..widgets.labels import WrappedLabel

_PARTS = 1000
_GOING = (DownloadState.WAITING, DownloadState.RUNNING)


class NeededNetworks(QFrame):
    """Hidden as long as nothing is missing."""

    fetch_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._missing: dict[str, NeededNetwork] = {}
        self._downloads: dict[str, Download] = {}
        self._words = WrappedLabel("", "small")
        self._bar = QProgressBar()
        self._fetch = QPushButton()
        self._arrange()
        self._fetch.clicked.connect(self._begin)
        self.hide()

    def show_missing(self, missing: Sequence[NeededNetwork], reason: str) -> None:
        """Offers to fetch them; what is on its way already goes on being shown. Without any, says the reason."""
        self._missing = {each.id: each for each in missing}
        self.setVisible(bool(missing or reason))
        if missing:
            self._show()
        else:
            self._say(reason, "")

    def show_download(self, download: Download) -> None:
        """One came further; the others are not ours."""
        if download.id in self._missing:
            self._downloads[download.id] = download
            self._show()

    def show_problem(self, problem: Problem) -> None:
        """Nothing could be begun."""
        self._say(f"{in_our_words(problem.message)} {in_our_words(problem.advice)}", self.tr("Try again"))

    def _begin(self) -> None:
        self._downloads = {}
        self._say(self.tr("Asking the hub…"), "")
        self.fetch_wanted.emit()

    def _show(self) -> None:
        mine = [self._downloads[name] for name in self._missing if name in self._downloads]
        failed = next((one.error for one in mine if one.error is not None), None)
        whole = sum(each.size_bytes for each in self._missing.values())
        if failed is not None:
            self._say(f"{in_our_words(failed['message'])} {in_our_words(failed['advice'])}", self.tr("Try again"))
        elif any(one.state in _GOING for one in mine):
            expected = [self._downloads[name].size if name in self._downloads else each.size_bytes
                        for name, each in self._missing.items()]  # fmt: skip
            received = sum(one.received for one in mine)
            self._say(self.tr("{0} of {1}").format(size(received), size(sum(expected))), "")
            self._bar.setValue(round(_PARTS * received / max(1, sum(expected))))
            self._bar.show()
        elif mine and all(one.state is DownloadState.DONE for one in mine) and len(mine) == len(self._missing):
            self._say(self.tr("Putting it into the library…"), "")
        elif any(one.state is DownloadState.PAUSED for one in mine):
            self._say(self.tr("The download is paused."), self.tr("Go on"))
        else:
            titles = ", ".join(each.title for each in self._missing.values())
            licences = ", ".join(dict.fromkeys(each.licence for each in self._missing.values()))
            needs = self.tr("Needs {0}: {1}, licence {2}. It comes once, then nothing goes online.")
            self._say(needs.format(titles, size(whole), licences), self.tr("Fetch"))

    def _say(self, words: str, button: str) -> None:
        """`button` is empty while there is nothing to do but wait."""
        self._bar.hide()
        self._words.setText(words)
        self._fetch.setText(button)
        self._fetch.setAccessibleName(button or self._fetch.accessibleName())
        self._fetch.setVisible(bool(button))

    def _arrange(self) -> None:
        self.setObjectName("neededNetworks")
        self._bar.setRange(0, _PARTS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Download"))
        self._fetch.setObjectName("fetchNetworksButton")
        self._fetch.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(4)
        for widget in (self._words, self._bar, self._fetch):
            column.addWidget(widget)
