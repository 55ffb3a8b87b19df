"""Second pass: the picture is made larger and drawn over once more at that size."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ...domain.enlarging import HIRES_STRENGTH
from ...domain.families import IMAGE, INPAINT
from ...domain.request import GenerationRequest
from ..offer import Offer
from ..widgets.amounts import number
from ..widgets.fields import Choice, Number, captioned
from ..widgets.offered import offer

_FACTORS = (1.5, 2.0, 3.0)


class SecondPass(QWidget):
    """Off unless a factor is chosen; a model that draws over no pictures greys it and says why."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._factor = Choice("hiresCombo")
        self._strength = Number("hiresStrengthSpin", 0.05, 1.0, 0.05)
        self._offered: Offer | None = None
        self._masked = False
        self._factor.addItem(self.tr("Off"), None)
        for factor in _FACTORS:
            self._factor.addItem(self.tr("{0} times larger").format(number(factor)), factor)
        self._factor.setToolTip(self.tr("Makes the picture larger and draws over it once more, for finer detail"))
        self._strength.setDecimals(2)
        self._strength.setValue(HIRES_STRENGTH)
        self._strength.setToolTip(self.tr("How much the second pass may change: 0.3 little, 0.7 a lot"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(captioned(self.tr("Second pass"), self._factor), 1)
        self._change = captioned(self.tr("Change in it"), self._strength)
        row.addWidget(self._change, 1)
        self._factor.currentIndexChanged.connect(lambda _: self._chosen())
        self._strength.valueChanged.connect(lambda _: self.changed.emit())
        self._change.hide()

    def values(self) -> dict[str, float | None]:
        """What a request needs of this."""
        factor = self._factor.currentData() if self._factor.isEnabled() else None
        return {"hires_factor": factor, "hires_strength": round(self._strength.value(), 2) if factor else None}

    def show_request(self, request: GenerationRequest) -> None:
        factor = request.hires_factor
        if factor is not None and self._factor.findData(factor) < 0:
            self._factor.addItem(self.tr("{0} times larger").format(number(factor)), factor)
        self._factor.setCurrentIndex(max(0, self._factor.findData(factor)))
        self._strength.setValue(request.hires_strength or HIRES_STRENGTH)

    def show_offer(self, offered: Offer) -> None:
        """What the chosen model cannot do says so."""
        self._offered = offered
        self._offer()

    def show_masked(self, masked: bool) -> None:
        self._masked = masked
        self._offer()

    def _offer(self) -> None:
        if self._offered is not None:
            wanted, offered = INPAINT if self._masked else IMAGE, self._offered
            cannot = self.tr("{0} does not draw over pictures.").format(offered.title)
            offer(self._factor, "" if offered.card is not None and wanted in offered.tasks else cannot)
        self._chosen()

    def _chosen(self) -> None:
        self._change.setVisible(self.values()["hires_factor"] is not None)
        self.changed.emit()
