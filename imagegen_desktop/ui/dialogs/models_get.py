"""Getting models: what is on its way, a model by its ID, and a short list that suits this computer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ...domain.download import OPEN, Download
from ...domain.errors import KeyRefused, NotAllowed, Problem
from ...services.downloads import HubOffer
from ...services.recommended import Machine, RecommendedModel
from ..icons import name_icon
from ..widgets.amounts import size
from ..widgets.fields import captioned, section
from ..widgets.labels import ElidedLabel, Label, WrappedLabel
from ..widgets.message_bar import MessageBar
from .download_row import DownloadRow


class OfferCard(QFrame):
    """What the hub says of a model, before anything is fetched."""

    accepted = Signal(object)
    page_wanted = Signal(str)
    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sheet")
        self._offer: HubOffer | None = None
        self._title = ElidedLabel("", "title")
        self._facts = WrappedLabel("")
        self._warning = WrappedLabel("")
        self._fetch = QPushButton()
        self._fetch.setObjectName("fetchModelButton")
        self._fetch.setProperty("kind", "main")
        self._page = QPushButton(self.tr("Read its page"))
        self._page.setAccessibleName(self.tr("Read its page"))
        self._no = QPushButton(self.tr("Not now"))
        self._no.setAccessibleName(self.tr("Not now"))
        for button in (self._fetch, self._page, self._no):
            button.setAutoDefault(False)
        self._fetch.setEnabled(False)
        self._fetch.setAccessibleName(self.tr("Download…"))
        self._arrange()
        self._fetch.clicked.connect(lambda: self.accepted.emit(self._offer))
        self._page.clicked.connect(lambda: self.page_wanted.emit(self._offer.journal.model.page if self._offer else ""))
        self._no.clicked.connect(self.dismissed)
        self.hide()

    def show_offer(self, offer: HubOffer) -> None:
        self._offer = offer
        model, missing = offer.journal.model, offer.missing_bytes
        licence = model.licence or self.tr("not said")
        self._title.setText(model.id)
        self._facts.setText(
            self.tr("Licence: {0}").format(licence)
            + (" · " + self.tr("you have to accept it on its page") if model.gated else "")
            + "\n"
            + self.tr("{0} in %n file(s); {1} are free.", "", len(offer.journal.selection.files)).format(
                size(offer.journal.selection.size), size(offer.free_bytes)
            )
        )
        self._warning.setVisible(offer.installed is not None)
        self._warning.setText(self.tr("It is on this computer already."))
        self._fetch.setEnabled(offer.installed is None)
        self._fetch.setText(self.tr("Download {0}").format(size(missing)))
        self._fetch.setAccessibleName(self._fetch.text())
        self.show()
        self._fetch.setFocus()

    def _arrange(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        for button in (self._fetch, self._page, self._no):
            line.addWidget(button)
        line.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(8)
        for widget in (self._title, self._facts, self._warning):
            column.addWidget(widget)
        column.addLayout(line)


class ModelsGet(QWidget):
    look_requested = Signal(str)
    key_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.offer = OfferCard()
        self.messages = MessageBar()
        self._rows: dict[str, DownloadRow] = {}
        self._asked: QPushButton | None = None
        self._edit = QLineEdit()
        self._edit.setObjectName("modelIdEdit")
        self._edit.setPlaceholderText("stabilityai/stable-diffusion-xl-base-1.0")
        self._look = QPushButton(self.tr("Look it up"))
        self._look.setObjectName("lookUpModelButton")
        self._look.setAccessibleName(self.tr("Look it up"))
        self._look.setAutoDefault(False)
        self._busy = Label("", "muted")
        self._downloads = QVBoxLayout()
        self._recommended = QVBoxLayout()
        self._arrange()
        self._look.clicked.connect(lambda: self._wish(self._edit.text()))
        self._edit.returnPressed.connect(self._look.click)
        self._edit.textChanged.connect(lambda text: self._look.setEnabled(bool(text.strip())))
        self._look.setEnabled(False)
        self.offer.dismissed.connect(self.offer.hide)

    def show_recommended(self, models: Sequence[RecommendedModel], best: str, machine: Machine) -> None:
        """`best` is the ID of the one that suits this computer best."""
        while (item := self._recommended.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.deleteLater()
        for model in sorted(models, key=lambda model: (model.id != best, not machine.suits(model))):
            self._recommended.addWidget(self._row(model, model.id == best, machine))

    def show_busy(self, what: str) -> None:
        """Asking the hub about `what`; empty when it has answered."""
        self._busy.setText(self.tr("Asking the hub about {0}…").format(what) if what else "")
        self._busy.setVisible(bool(what))
        self.messages.clear()
        if what:
            self.offer.hide()

    def show_offer(self, offer: HubOffer) -> None:
        self.show_busy("")
        self.offer.show_offer(offer)

    def show_problem(self, problem: Problem) -> None:
        self.show_busy("")
        remedy: tuple[str, Callable[[], None]] | None = None
        if isinstance(problem, KeyRefused):
            remedy = (self.tr("Enter a key…"), self.key_wanted.emit)
        elif isinstance(problem, NotAllowed) and problem.page:
            page = problem.page
            remedy = (self.tr("Read its page"), lambda: self.offer.page_wanted.emit(page))
        self.messages.show_message("error", problem.message, problem.advice, remedy)

    def show_download(self, download: Download) -> DownloadRow | None:
        """A row for it while it is open; the row if it is a new one."""
        row = self._rows.get(download.key)
        if download.state not in OPEN:
            if row is not None:
                self._rows.pop(download.key).deleteLater()
            return None
        if row is not None:
            row.show_download(download)
            return None
        row = self._rows[download.key] = DownloadRow(download)
        self._downloads.addWidget(row)
        return row

    def focus_id(self) -> None:
        self._edit.setFocus()

    def _wish(self, text: str) -> None:
        if text.strip():
            self.look_requested.emit(text.strip())

    def _row(self, model: RecommendedModel, best: bool, machine: Machine) -> QWidget:
        row = QFrame()
        row.setObjectName("sheet")
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(ElidedLabel(model.title, "title"))
        words.addWidget(WrappedLabel(self.tr(model.about)))
        facts = [
            self.tr("about {0}").format(size(model.size_bytes)),
            self.tr("needs {0} of memory").format(size(model.memory_bytes)),
            model.licence,
            *([self.tr("asks for an account")] if model.gated else []),
        ]
        words.addWidget(WrappedLabel(" · ".join(facts), "muted"))
        words.addWidget(WrappedLabel(self._verdict(model, best, machine), "small"))
        get = QPushButton(self.tr("Download…"))
        get.setAccessibleName(self.tr("Download {0}").format(model.title))
        get.setAutoDefault(False)
        get.clicked.connect(lambda: self._wish(model.id))
        line = QHBoxLayout(row)
        line.setContentsMargins(16, 12, 16, 12)
        line.setSpacing(16)
        line.addLayout(words, 1)
        line.addWidget(get, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _verdict(self, model: RecommendedModel, best: bool, machine: Machine) -> str:
        if best:
            return self.tr("Suits this computer best.")
        if machine.suits(model):
            return self.tr("Runs on this computer.")
        if not machine.has_gpu and not model.processor:
            return self.tr("Needs a graphics card; none was found here.")
        return self.tr("Too large for this computer, which has {0}.").format(size(machine.memory_bytes))

    def _arrange(self) -> None:
        field = QHBoxLayout()
        field.setSpacing(8)
        field.addWidget(captioned(self.tr("A model of Hugging Face, by its ID or page"), self._edit), 1)
        field.addWidget(self._look, 0, Qt.AlignmentFlag.AlignBottom)
        name_icon(self._look, "search")
        self._busy.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(12)
        self._downloads.setSpacing(8)
        self._recommended.setSpacing(8)
        column.addLayout(self._downloads)
        column.addLayout(field)
        column.addWidget(self._busy)
        column.addWidget(self.messages)
        column.addWidget(self.offer)
        column.addSpacing(4)
        column.addWidget(section(self.tr("Recommended")))
        column.addLayout(self._recommended)
        column.addStretch()
