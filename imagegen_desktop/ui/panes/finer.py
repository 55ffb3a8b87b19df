"""Finer: what few pictures need — edges that meet, variations of a seed, fewer layers of the text encoder."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QToolButton, QVBoxLayout, QWidget

from ...domain.request import MAX_CLIP_SKIP, GenerationRequest
from ..offer import Offer
from ..widgets.fields import Choice, Number, WholeNumber, captioned
from ..widgets.offered import offer
from .seed import SeedEdit


class Finer(QWidget):
    """Folded away until it is wanted, or says something."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._fold = QToolButton()
        self._body = QWidget()
        self._tiling = Choice("tilingCombo")
        self._clip_skip = WholeNumber("clipSkipSpin", 1, MAX_CLIP_SKIP)
        self._strength = Number("variationStrengthSpin", 0.0, 1.0, 0.05)
        self._seed = SeedEdit("variationSeedEdit")
        self._prepare()
        self._arrange()
        self._connect()
        self._unfold(False)

    def values(self) -> dict[str, int | float | str | None]:
        """What a request needs of this; raises BadInput for a seed that is too large."""
        strength = round(self._strength.value(), 2) if self._strength.isEnabled() else 0.0
        return {
            "tiling": self._tiling.currentData() if self._tiling.isEnabled() else None,
            "clip_skip": self._clip_skip.value() if self._clip_skip.isEnabled() and self._said_skip() else None,
            "variation_strength": strength or None,
            "variation_seed": self._seed.value() if strength else None,
        }

    def show_request(self, request: GenerationRequest) -> None:
        self._tiling.setCurrentIndex(max(0, self._tiling.findData(request.tiling)))
        self._clip_skip.setValue(request.clip_skip or 1)
        self._strength.setValue(request.variation_strength or 0.0)
        self._seed.show_value(request.variation_seed)
        self._unfold(any(value is not None for value in self.values().values()))

    def show_offer(self, offered: Offer) -> None:
        """What the chosen model cannot do says so."""
        reason = self.tr("{0} has no such thing.").format(offered.title)
        for name, control in (
            ("tiling", self._tiling),
            ("clip_skip", self._clip_skip),
            ("variation_strength", self._strength),
            ("variation_strength", self._seed),
        ):
            offer(control, reason if name in offered.missing else "")

    def _said_skip(self) -> bool:
        return self._clip_skip.value() > 1

    def _unfold(self, open_: bool) -> None:
        self._body.setVisible(open_)
        self._fold.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)

    def _prepare(self) -> None:
        self._fold.setObjectName("finerButton")
        self._fold.setText(self.tr("More settings"))
        self._fold.setAccessibleName(self._fold.text())
        self._fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._strength.setDecimals(2)
        edges = ((self.tr("Off"), None), (self.tr("Left and right"), "x"), (self.tr("Top and bottom"), "y"))
        for text, tiling in (*edges, (self.tr("All around"), "both")):
            self._tiling.addItem(text, tiling)
        self._tiling.setToolTip(self.tr("Edges that meet without a seam, for patterns"))
        self._clip_skip.setToolTip(self.tr("1 reads the text encoder’s last layer, 2 leaves one out"))
        self._strength.setToolTip(self.tr("0 is the picture of the seed, 1 that of the variation’s seed"))

    def _connect(self) -> None:
        self._fold.clicked.connect(lambda: self._unfold(self._body.isHidden()))
        signals = (self._tiling.currentIndexChanged, self._clip_skip.valueChanged, self._strength.valueChanged)
        for signal in (*signals, self._seed.textChanged):
            signal.connect(lambda *_: self.changed.emit())

    def _arrange(self) -> None:
        grid = QGridLayout(self._body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.addWidget(captioned(self.tr("Variation"), self._strength), 0, 0)
        grid.addWidget(captioned(self.tr("Variation’s seed"), self._seed), 0, 1)
        grid.addWidget(captioned(self.tr("Seamless"), self._tiling), 1, 0)
        grid.addWidget(captioned(self.tr("Clip skip"), self._clip_skip), 1, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._body)
