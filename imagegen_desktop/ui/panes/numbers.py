"""Numbers: steps, guidance, seed, sampler and count, which follow the model until the artist sets their own."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from ...domain.cloud_model import SizeRule
from ...domain.families import MODEL_DEFAULT_SAMPLER
from ...domain.request import MAX_COUNT, MAX_GUIDANCE, MAX_STEPS, GenerationRequest
from ..offer import Offer
from ..theme import Theme
from ..widgets.fields import Choice, Number, WholeNumber, captioned
from ..widgets.offered import offer
from .seed import Seed
from .size import Size
from .titled import titled


class Numbers(QWidget):
    """A number the artist has touched is his own; `show_defaults` leaves it alone until `follow_model`."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._defaults: dict[str, int | float] = {}
        self._own: set[str] = set()
        self._missing: frozenset[str] = frozenset()
        self._filling = False
        self._size = Size(theme)
        self._steps = WholeNumber("stepsSpin", 1, MAX_STEPS)
        self._guidance = Number("guidanceSpin", 0.0, MAX_GUIDANCE, 0.5)
        self._count = WholeNumber("countSpin", 1, MAX_COUNT)
        self._seed = Seed()
        self._sampler = Choice("samplerCombo")
        self._reset = QPushButton(self.tr("Model’s own"))
        self._prepare_reset()
        self._connect()
        self._arrange()

    def show_model(self, samplers: tuple[str, ...], own_sampler: str, sizes: SizeRule) -> None:
        """What the chosen model can do; a sampler it does not have falls back to its own."""
        chosen = self.sampler()
        self._filling = True
        self._sampler.clear()
        own = self.tr("Model’s own ({0})").format(own_sampler) if own_sampler else self.tr("Model’s own")
        self._sampler.addItem(own, MODEL_DEFAULT_SAMPLER)
        for sampler in samplers:
            self._sampler.addItem(sampler, sampler)
        self._sampler.setCurrentIndex(max(0, self._sampler.findData(chosen)))
        self._size.show_rule(sizes)
        self._filling = False

    def show_offer(self, offered: Offer) -> None:
        """What the chosen model can do; what it cannot says so."""
        self.show_model(offered.samplers, offered.own_sampler, offered.sizes)
        self._missing = offered.missing
        self._filling = True
        self._steps.setRange(int(offered.steps.low), int(offered.steps.high))
        self._guidance.setRange(offered.guidance.low, offered.guidance.high)
        self._filling = False
        reasons = {
            "steps": self.tr("{0} chooses the number of steps itself."),
            "guidance": self.tr("{0} chooses the guidance itself."),
            "sampler": self.tr("{0} chooses the sampler itself."),
        }
        for name, control in (("steps", self._steps), ("guidance", self._guidance), ("sampler", self._sampler)):
            offer(control, reasons[name].format(offered.title) if name in offered.missing else "")
        takes_none = self.tr("{0} takes no seed.").format(offered.title)
        self._seed.show_missing(takes_none if "seed" in offered.missing else "")

    def show_defaults(self, defaults: Mapping[str, int | float]) -> None:
        """Width, height, steps and guidance a new picture starts with."""
        self._defaults = dict(defaults)
        self._fill({name: value for name, value in defaults.items() if name not in self._own})

    def show_request(self, request: GenerationRequest) -> None:
        """Takes over another picture's numbers, its seed included."""
        names = ("width", "height", "steps", "guidance")
        numbers = {name: value for name in names if (value := getattr(request, name)) is not None}
        self._fill(numbers)
        self._own |= {name for name, value in numbers.items() if self._defaults.get(name) != value}
        self.show_seed(request.seed)
        if request.sampler:
            self._sampler.setCurrentIndex(max(0, self._sampler.findData(request.sampler)))
        self._tell()

    def show_seed(self, seed: int | None) -> None:
        self._seed.show_value(seed)

    def roll_seed(self) -> None:
        self._seed.roll()

    def follow_model(self) -> None:
        self._own.clear()
        self._fill(self._defaults)
        self._sampler.setCurrentIndex(0)
        self._tell()

    def values(self) -> dict[str, int | float | str | None]:
        """What a request needs of this; raises BadInput for a seed that is too large.

        Before the model is known, what the artist has not touched is left to the model (None).
        """
        width, height = self._size.sides()
        numbers = {
            "width": width,
            "height": height,
            "steps": self._steps.value(),
            "guidance": self._guidance.value(),
        }
        said: dict[str, int | float | str | None] = {
            name: value if self._defaults or name in self._own else None for name, value in numbers.items()
        }
        said |= {"count": self._count.value(), "seed": self._seed.value(), "sampler": self.sampler()}
        return said | dict.fromkeys(self._missing & said.keys(), None)

    def sampler(self) -> str:
        return str(self._sampler.currentData() or MODEL_DEFAULT_SAMPLER)

    def has_own_size(self) -> bool:
        """Whether the artist chose the size; a source picture's proportions are taken otherwise."""
        return bool(self._own & {"width", "height"})

    def offer_size(self, width: int, height: int) -> None:
        """A size that fits what the picture starts from; the artist's own stays."""
        if not self.has_own_size():
            self._fill({"width": width, "height": height})

    def show_size(self, width: int, height: int) -> None:
        """The size of a picture that is to keep it; it is no choice that outlives the picture."""
        self._own -= {"width", "height"}
        self._fill({"width": width, "height": height})

    def _fill(self, numbers: Mapping[str, int | float]) -> None:
        self._filling = True
        width, height = self._size.sides()
        self._size.show_sides(int(numbers.get("width", width)), int(numbers.get("height", height)))
        self._steps.setValue(int(numbers.get("steps", self._steps.value())))
        self._guidance.setValue(float(numbers.get("guidance", self._guidance.value())))
        self._filling = False
        self._reset.setVisible(bool(self._own))

    def _touched(self, *names: str) -> None:
        if not self._filling:
            self._own |= set(names)
            self._tell()

    def _tell(self) -> None:
        self._reset.setVisible(bool(self._own))
        if not self._filling:
            self.changed.emit()

    def _connect(self) -> None:
        self._size.changed.connect(lambda: self._touched("width", "height"))
        self._steps.valueChanged.connect(lambda: self._touched("steps"))
        self._guidance.valueChanged.connect(lambda: self._touched("guidance"))
        for signal in (self._count.valueChanged, self._seed.changed, self._sampler.currentIndexChanged):
            signal.connect(lambda *_: self._tell())

    def _prepare_reset(self) -> None:
        self._reset.setProperty("kind", "link")
        self._reset.setAccessibleName(self.tr("Take the model’s own numbers again"))
        self._reset.setToolTip(self._reset.accessibleName())
        self._reset.clicked.connect(self.follow_model)
        kept = self._reset.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self._reset.setSizePolicy(kept)
        self._reset.hide()

    def _arrange(self) -> None:
        head = titled(self.tr("Size"), self._reset)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.addWidget(captioned(self.tr("Steps"), self._steps), 0, 0)
        grid.addWidget(captioned(self.tr("Guidance"), self._guidance), 0, 1)
        grid.addWidget(self._seed, 1, 0)
        grid.addWidget(captioned(self.tr("Pictures"), self._count), 1, 1)
        grid.addWidget(captioned(self.tr("Sampler"), self._sampler), 2, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._size)
        column.addLayout(grid)
