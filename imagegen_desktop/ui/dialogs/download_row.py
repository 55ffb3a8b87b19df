"""DownloadRow: a model on its way — how far, how fast, and pause, go on, cancel."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QToolButton, QVBoxLayout

from ...domain.download import Download, DownloadState
from ..icons import name_icon
from ..languages import in_our_words
from ..widgets.amounts import duration, size
from ..widgets.labels import ElidedLabel, Label, WrappedLabel

_PARTS = 1000


class DownloadRow(QFrame):
    """`pause_requested`, `resume_requested` and `cancel_requested` carry the download's key."""

    pause_requested = Signal(str)
    resume_requested = Signal(str)
    cancel_requested = Signal(str)

    def __init__(self, download: Download) -> None:
        super().__init__()
        self.setObjectName("sheet")
        self._key = download.key
        self._going = False
        self._title = ElidedLabel(download.title, "title")
        self._bar = QProgressBar()
        self._bar.setRange(0, _PARTS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Download of {0}").format(download.title))
        self._facts = Label("", "muted")
        self._trouble = WrappedLabel("")
        self._go = QPushButton()
        self._go.setAutoDefault(False)
        self._cancel = QToolButton()
        self._arrange(download.title)
        self._go.clicked.connect(self._turn)
        self._cancel.clicked.connect(lambda: self.cancel_requested.emit(self._key))
        self.show_download(download)

    def show_download(self, download: Download) -> None:
        share = download.received / download.size if download.size else 0.0
        self._bar.setValue(round(_PARTS * share))
        self._facts.setText(self._said(download))
        trouble = ""
        if download.error is not None:
            trouble = " ".join(in_our_words(download.error[part]) for part in ("message", "advice"))
        elif download.note:
            trouble = in_our_words(download.note)
        self._trouble.setText(trouble.strip())
        self._trouble.setVisible(bool(trouble.strip()))
        self._going = download.state in (DownloadState.RUNNING, DownloadState.WAITING)
        self._go.setText(self.tr("Pause") if self._going else self.tr("Go on"))
        self._go.setAccessibleName(f"{self._go.text()}: {download.title}")
        self._bar.setAccessibleDescription(self._facts.text())

    def _said(self, download: Download) -> str:
        amount = self.tr("{0} of {1}").format(size(download.received), size(download.size))
        if download.state is DownloadState.WAITING:
            return f"{amount} · " + self.tr("waiting for its turn")
        if download.state is DownloadState.PAUSED:
            return f"{amount} · " + self.tr("paused")
        if download.state is not DownloadState.RUNNING or not download.speed:
            return amount
        left = download.seconds_left
        ends = "" if left is None else " · " + self.tr("{0} left").format(duration(left))
        return f"{amount} · {size(download.speed)}/s{ends}"

    def _turn(self) -> None:
        (self.pause_requested if self._going else self.resume_requested).emit(self._key)

    def _arrange(self, title: str) -> None:
        self._cancel.setAccessibleName(self.tr("Cancel the download of {0}").format(title))
        self._cancel.setToolTip(self.tr("Cancel and forget what was received"))
        name_icon(self._cancel, "close", "muted")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title, 1)
        head.addWidget(self._go)
        head.addWidget(self._cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._bar)
        column.addWidget(self._facts)
        column.addWidget(self._trouble)
