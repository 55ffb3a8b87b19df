"""A picture of the prompt pane that steers the drawing through a network: how strongly, and in which of the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QIcon, QImage, QPixmap, QStandardItemModel
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from ...domain.request import Control, ImagePrompt, SourceImage
from ...services.needed import NeededNetwork
from ..canvas.dropping import droppable, dropped
from ..icons import name_icon
from ..widgets.fields import Choice, Number, captioned
from .needed_networks import NeededNetworks

_LOOK, _EMPTY = 72, 24

#: What of a request one row stands for.
Acting = Control | ImagePrompt
#: What a row may need from the hub before it acts: a kind of network, and the name of what is chosen.
Need = tuple[str, str]


@dataclass(frozen=True)
class Network:
    """One that can be used, and why not (empty when it can). `lacks`: only because something has to be fetched."""

    name: str
    title: str
    reason: str = ""
    lacks: bool = False


class PictureWell(QToolButton):
    """Takes a picture by drop or by click, and shows what became of it."""

    picture_dropped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.setFixedSize(_LOOK + 8, _LOOK + 8)
        self.setObjectName("pictureWell")
        self.setIconSize(QSize(_EMPTY, _EMPTY))
        self.setToolTip(self.tr("Drop a picture here, or click to choose one"))
        name_icon(self, "upload", "muted")
        self._word = QLabel(self)
        self._word.setWordWrap(True)
        self._word.setObjectName("pictureWord")
        self._word.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._word.hide()

    def show_word(self, word: str) -> None:
        """Laid over the foot of the picture; empty for none."""
        self._word.setText(word)
        self._word.setVisible(bool(word))
        high = self._word.heightForWidth(self.width())
        self._word.setGeometry(0, self.height() - high, self.width(), high)

    def show_picture(self, image: QImage) -> None:
        self.setProperty("iconName", "")
        self.setIconSize(QSize(_LOOK, _LOOK))
        sized = image.scaled(
            self.iconSize(), Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        self.setIcon(QIcon(QPixmap.fromImage(sized)))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if droppable(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        found: Path | QImage | None = dropped(event)
        if found is not None:
            event.acceptProposedAction()
            self.picture_dropped.emit(found)


class PictureRow(QWidget):
    """Of no effect until it has a picture and a network that can be used."""

    changed = Signal()
    removed = Signal()
    picture_wanted = Signal()
    picture_dropped = Signal(object)
    look_wanted = Signal(object, str)
    need_changed = Signal()

    def __init__(self, kind: str) -> None:
        """`kind` begins the names of the fields."""
        super().__init__()
        self.picture_title = ""
        self.needed = NeededNetworks()
        self._source: SourceImage | None = None
        self._wanted = ""
        self._well = PictureWell()
        self._remove = QToolButton()
        self._network = Choice(f"{kind}Combo")
        self._weight = Number(f"{kind}WeightSpin", 0.0, 2.0, 0.05)
        self._start = Number(f"{kind}StartSpin", 0.0, 1.0, 0.05)
        self._end = Number(f"{kind}EndSpin", 0.0, 1.0, 0.05)
        self._reasons: dict[str, str] = {}
        #: For what only some kinds have, below the network.
        self._choices = QVBoxLayout()
        self._arrange()
        self._connect()

    @property
    def preparation(self) -> str:
        """What is made of the picture before it is shown."""
        return "none"

    @property
    def network(self) -> str:
        """The chosen one; empty for none."""
        return str(self._network.currentData() or "")

    @property
    def need(self) -> Need:
        """What may have to be fetched."""
        raise NotImplementedError

    def show_networks(self, networks: Sequence[Network]) -> None:
        """Those there are; one that cannot be used says why, and one that is not there any more stays wished for."""
        before = self.need, self._reasons.get(self.network)
        self._reasons = {each.name: each.reason for each in networks}
        self._network.blockSignals(True)
        self._network.clear()
        for place, each in enumerate(networks):
            self._network.addItem(each.title, each.name)
            self._network.setItemData(place, each.reason, Qt.ItemDataRole.ToolTipRole)
            items = self._network.model()
            assert isinstance(items, QStandardItemModel)
            items.item(place).setEnabled(not each.reason or each.lacks)
        best = min(networks, key=lambda each: (bool(each.reason), not each.lacks), default=Network("", "", "none"))
        wanted = self._wanted or (best.name if not best.reason or best.lacks else "")
        self._network.setCurrentIndex(self._network.findData(wanted))
        self._network.blockSignals(False)
        self._explain()
        if before != (self.need, self._reasons.get(self.network)):
            self.need_changed.emit()

    def show_missing(self, missing: Sequence[NeededNetwork]) -> None:
        """What is to be fetched first; without any, why what is chosen cannot be used."""
        self.needed.show_missing(missing, self._reasons.get(self.network, ""))

    def show_acting(self, acting: Acting) -> None:
        """Takes over another picture's; a network that is not here stays unchosen."""
        self._wanted = acting.model
        self._network.setCurrentIndex(self._network.findData(acting.model))
        self._explain()
        for field, number in ((self._weight, acting.weight), (self._start, acting.start), (self._end, acting.end)):
            field.setValue(number)
        self.show_source(acting.image)

    def show_source(self, source: SourceImage) -> None:
        self._source = source
        self._ask_for_look()
        self.changed.emit()

    def show_look(self, source: SourceImage, preparation: str, image: QImage) -> None:
        """What the network is shown, unless something else was chosen meanwhile."""
        if (source, preparation) == (self._source, self.preparation):
            self._well.show_picture(image)
            self._well.show_word(self._word())

    def _word(self) -> str:
        """Said over the picture where it is not what the network is shown."""
        return ""

    def _values(self) -> dict[str, Any] | None:
        """What a request needs of this; None as long as it has no effect."""
        model = self.network
        if self._source is None or not model or self._reasons.get(model):
            return None
        start, end = sorted((round(self._start.value(), 2), round(self._end.value(), 2)))
        weight = round(self._weight.value(), 2)
        return {"model": model, "image": self._source, "weight": weight, "start": start, "end": end}

    def _ask_for_look(self) -> None:
        if self._source is not None:
            self.look_wanted.emit(self._source, self.preparation)

    def _explain(self) -> None:
        absent = self.tr("{0} is not in the library.").format(self._wanted) if self._wanted else ""
        self._network.setPlaceholderText(self._wanted)
        self._network.setToolTip(self._reasons.get(self.network, "") if self.network else absent)

    def _choose(self) -> None:
        self._wanted = self.network or self._wanted
        self._explain()

    def _connect(self) -> None:
        self._well.clicked.connect(self.picture_wanted)
        self._well.picture_dropped.connect(self.picture_dropped)
        self._network.currentIndexChanged.connect(lambda _: self._choose())
        self._network.currentIndexChanged.connect(lambda _: self.changed.emit())
        for field in (self._weight, self._start, self._end):
            field.valueChanged.connect(lambda _: self.changed.emit())

    def _call(self, title: str, picture_title: str, removing: str) -> None:
        """Names it for people."""
        self.picture_title = picture_title
        self._network.setAccessibleName(title)
        self._well.setAccessibleName(picture_title)
        self._remove.setAccessibleName(removing)
        self._remove.setToolTip(removing)

    def _arrange(self) -> None:
        for field, number in ((self._weight, 1.0), (self._start, 0.0), (self._end, 1.0)):
            field.setDecimals(2)
            field.setValue(number)
        self._remove.setObjectName("removePictureButton")
        name_icon(self._remove, "close", "muted")
        self._remove.clicked.connect(self.removed)
        share = self.tr("Share of the steps: 0 is the first, 1 the last")
        self._start.setToolTip(share)
        self._end.setToolTip(share)
        first = QHBoxLayout()
        first.addWidget(self._network, 1)
        first.addWidget(self._remove)
        beside = QVBoxLayout()
        beside.addLayout(first)
        beside.addLayout(self._choices)
        beside.addStretch()
        top = QHBoxLayout()
        top.addWidget(self._well)
        top.addLayout(beside, 1)
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(8)
        fields = ((self.tr("Weight"), self._weight), (self.tr("Begin"), self._start), (self.tr("End"), self._end))
        for place, (caption, field) in enumerate(fields):
            numbers.addWidget(captioned(caption, field), 0, place)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addLayout(top)
        self._column.addLayout(numbers)
        self._column.addWidget(self.needed)
