"""One ControlNet of the prompt pane: its picture, how strongly and when it acts, and what it is shown."""

from __future__ import annotations

from ...domain.model_card import CONTROLNET, PREPARED_BY
from ...domain.request import PREPARATIONS, Control
from ..widgets.fields import Choice
from .picture_row import Acting, Need, PictureRow


class ControlRow(PictureRow):
    def __init__(self) -> None:
        super().__init__("control")
        self._preparation = Choice("preparationCombo")
        self._call(self.tr("ControlNet"), self.tr("Picture whose shapes are kept"), self.tr("Take the ControlNet off"))
        self._fill()
        self._preparation.setAccessibleName(self.tr("What is made of the picture"))
        self._preparation.setToolTip(self._preparation.accessibleName())
        self._choices.addWidget(self._preparation)
        self._preparation.currentIndexChanged.connect(lambda _: self.need_changed.emit())
        self._preparation.currentIndexChanged.connect(lambda _: self._ask_for_look())
        self._preparation.currentIndexChanged.connect(lambda _: self.changed.emit())

    @property
    def preparation(self) -> str:
        return str(self._preparation.currentData())

    @property
    def need(self) -> Need:
        return CONTROLNET, self.preparation

    def value(self) -> Control | None:
        values = self._values()
        return None if values is None else Control(**values, preparation=self.preparation)

    def show_acting(self, acting: Acting) -> None:
        if isinstance(acting, Control):
            self._preparation.setCurrentIndex(max(0, self._preparation.findData(acting.preparation)))
        super().show_acting(acting)

    def _word(self) -> str:
        """What a network of the engine prepares cannot be looked at before."""
        return self.tr("seen when drawn") if self.preparation in PREPARED_BY else ""

    def _fill(self) -> None:
        titles = {
            "none": self.tr("As it is"),
            "canny": self.tr("Edges"),
            "depth": self.tr("Depths"),
            "pose": self.tr("Poses"),
            "scribble": self.tr("Strokes"),
            "tile": self.tr("Without details"),
        }
        for name in PREPARATIONS:
            self._preparation.addItem(titles[name], name)
