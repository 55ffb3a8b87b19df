"""One ControlNet of the prompt pane: its picture, how strongly and when it acts, and what it is shown."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QIcon, QImage, QPixmap
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ...domain.request import PREPARATIONS, Control, SourceImage
from ..canvas.dropping import droppable, dropped
from ..icons import name_icon
from ..widgets.fields import Choice, Number, captioned

_LOOK = 72


class PictureWell(QToolButton):
    """Takes a picture by drop or by click, and shows what became of it."""

    picture_dropped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.setFixedSize(_LOOK + 8, _LOOK + 8)
        self.setIconSize(QSize(_LOOK, _LOOK))
        self.setAccessibleName(self.tr("Picture whose shapes are kept"))
        self.setToolTip(self.tr("Drop a picture here, or click to choose one"))
        name_icon(self, "upload", "muted")

    def show_picture(self, image: QImage) -> None:
        self.setProperty("iconName", "")
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


class ControlRow(QWidget):
    """Of no effect until it has a picture and a model."""

    changed = Signal()
    removed = Signal()
    picture_wanted = Signal()
    picture_dropped = Signal(object)
    look_wanted = Signal(object, str)

    def __init__(self, models: dict[str, str]) -> None:
        super().__init__()
        self._source: SourceImage | None = None
        self._well = PictureWell()
        self._model = Choice("controlCombo")
        self._preparation = Choice("preparationCombo")
        self._weight = Number("controlWeightSpin", 0.0, 2.0, 0.05)
        self._start = Number("controlStartSpin", 0.0, 1.0, 0.05)
        self._end = Number("controlEndSpin", 0.0, 1.0, 0.05)
        self._fill(models)
        self._arrange()
        self._connect()

    def value(self) -> Control | None:
        model = str(self._model.currentData() or "")
        if self._source is None or not model:
            return None
        start, end = sorted((round(self._start.value(), 2), round(self._end.value(), 2)))
        return Control(
            model=model,
            image=self._source,
            weight=round(self._weight.value(), 2),
            start=start,
            end=end,
            preparation=str(self._preparation.currentData()),
        )

    def show_control(self, control: Control) -> None:
        """Takes over another picture's; a model that is not here stays unchosen."""
        self._model.setCurrentIndex(self._model.findData(control.model))
        self._preparation.setCurrentIndex(max(0, self._preparation.findData(control.preparation)))
        for field, number in ((self._weight, control.weight), (self._start, control.start), (self._end, control.end)):
            field.setValue(number)
        self.show_source(control.image)

    def show_source(self, source: SourceImage) -> None:
        self._source = source
        self._ask_for_look()
        self.changed.emit()

    def show_look(self, source: SourceImage, preparation: str, image: QImage) -> None:
        """What the ControlNet is shown, unless something else was chosen meanwhile."""
        if (source, preparation) == (self._source, self._preparation.currentData()):
            self._well.show_picture(image)

    def _ask_for_look(self) -> None:
        if self._source is not None:
            self.look_wanted.emit(self._source, str(self._preparation.currentData()))

    def _fill(self, models: dict[str, str]) -> None:
        titles = {
            "none": self.tr("As it is"),
            "canny": self.tr("Edges"),
            "depth": self.tr("Depths"),
            "scribble": self.tr("Strokes"),
            "tile": self.tr("Without details"),
        }
        for name, title in models.items():
            self._model.addItem(title, name)
        for name in PREPARATIONS:
            self._preparation.addItem(titles[name], name)
        for field, number in ((self._weight, 1.0), (self._start, 0.0), (self._end, 1.0)):
            field.setDecimals(2)
            field.setValue(number)

    def _connect(self) -> None:
        self._well.clicked.connect(self.picture_wanted)
        self._well.picture_dropped.connect(self.picture_dropped)
        self._preparation.currentIndexChanged.connect(lambda _: self._ask_for_look())
        for combo in (self._model, self._preparation):
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
        for field in (self._weight, self._start, self._end):
            field.valueChanged.connect(lambda _: self.changed.emit())

    def _arrange(self) -> None:
        remove = QToolButton()
        remove.setAccessibleName(self.tr("Take the ControlNet off"))
        remove.setToolTip(remove.accessibleName())
        name_icon(remove, "close", "muted")
        remove.clicked.connect(self.removed)
        self._model.setAccessibleName(self.tr("ControlNet"))
        share = self.tr("Share of the steps: 0 is the first, 1 the last")
        self._start.setToolTip(share)
        self._end.setToolTip(share)
        self._preparation.setAccessibleName(self.tr("What is made of the picture"))
        self._preparation.setToolTip(self._preparation.accessibleName())
        first = QHBoxLayout()
        first.addWidget(self._model, 1)
        first.addWidget(remove)
        beside = QVBoxLayout()
        beside.addLayout(first)
        beside.addWidget(self._preparation)
        top = QHBoxLayout()
        top.addWidget(self._well)
        top.addLayout(beside, 1)
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(8)
        fields = ((self.tr("Weight"), self._weight), (self.tr("Begin"), self._start), (self.tr("End"), self._end))
        for place, (caption, field) in enumerate(fields):
            numbers.addWidget(captioned(caption, field), 0, place)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addLayout(numbers)
