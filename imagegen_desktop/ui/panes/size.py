"""Size: width and height, and chips that keep the model's area while they change the proportions."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from ...domain.cloud_model import SizeRule
from ...domain.request import MAX_SIDE
from ..icons import name_icon
from ..theme import Theme, sized
from ..tokens import SMALL
from ..widgets.fields import Choice, WholeNumber, captioned
from ..widgets.offered import offer

RATIOS = ((1, 1), (4, 3), (3, 2), (16, 9), (3, 4), (9, 16))
_GLYPH = 13


class RatioChip(QPushButton):
    """A proportion as a small outline and its numbers."""

    def __init__(self, across: int, down: int, theme: Theme) -> None:
        super().__init__()
        self.ratio = (across, down)
        self._theme = theme
        self.setCheckable(True)
        self.setProperty("kind", "chip")
        self.setAccessibleName(self.tr("Proportions {0}").format(f"{across}:{down}"))
        self.setToolTip(self.accessibleName())
        self.setMinimumWidth(34)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        across, down = self.ratio
        scale = _GLYPH / max(across, down)
        glyph = QRectF(0, 0, across * scale, down * scale)
        glyph.moveCenter(QRectF(0, 5, self.width(), 18).center())
        tokens = self._theme.tokens
        color = QColor(tokens.accent_text if self.isChecked() else tokens.muted)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, 1.5))
        painter.drawRoundedRect(glyph, 1.5, 1.5)
        painter.setPen(QColor(tokens.text if self.isChecked() else tokens.muted))
        painter.setFont(sized(self.font(), SMALL))
        words = QRectF(0, 23, self.width(), 17)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, f"{across}:{down}")


class Size(QWidget):
    """Chips stay at the number of pixels the model draws best; a model with a few sizes only has them listed."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.width_spin = WholeNumber("widthSpin", 8, MAX_SIDE, 8)
        self.height_spin = WholeNumber("heightSpin", 8, MAX_SIDE, 8)
        self._rule = SizeRule(default=(512, 512), multiple=8)
        self._listed = Choice("sizeCombo")
        self._swap_button = QToolButton()
        self._chips = [RatioChip(across, down, theme) for across, down in RATIOS]
        self._group = QButtonGroup(self)
        for spin in (self.width_spin, self.height_spin):
            spin.setSuffix(" px")
            spin.valueChanged.connect(self._sides_changed)
            spin.editingFinished.connect(self._snap)
        for chip in self._chips:
            self._group.addButton(chip)
            chip.clicked.connect(lambda _=False, chip=chip: self._take(*chip.ratio))
        self._arrange()

    def show_rule(self, rule: SizeRule) -> None:
        """Which sizes the model makes."""
        self._rule = rule
        area, only = rule.default[0] * rule.default[1], self.tr("This model makes the listed sizes only.")
        for spin in (self.width_spin, self.height_spin):
            spin.setSingleStep(max(rule.multiple, 64 if area >= 512 * 512 else rule.multiple))
            offer(spin, only if rule.only else "")
        self._listed.blockSignals(True)
        self._listed.clear()
        for width, height in rule.only:
            self._listed.addItem(f"{width} × {height}", (width, height))
        self._listed.blockSignals(False)
        self._listed.setVisible(bool(rule.only))
        self._swap_button.setEnabled(not rule.only)
        for chip in self._chips:
            chip.setVisible(not rule.only)
        self.show_sides(*rule.snap(*self.sides()))
        self._mark()

    def show_sides(self, width: int, height: int) -> None:
        self.width_spin.setValue(width)
        self.height_spin.setValue(height)

    def sides(self) -> tuple[int, int]:
        return self.width_spin.value(), self.height_spin.value()

    def _take(self, across: int, down: int) -> None:
        self.show_sides(*self._sides_of((across, down)))
        self._mark()

    def _swap(self) -> None:
        width, height = self.sides()
        self.show_sides(height, width)

    def _sides_changed(self) -> None:
        self._mark()
        self.changed.emit()

    def _sides_of(self, ratio: tuple[int, int]) -> tuple[int, int]:
        width, height = self._rule.default
        return self._rule.snap(*sides_for(*ratio, width * height, self._rule.multiple))

    def _take_listed(self) -> None:
        self.show_sides(*self._listed.currentData())

    def _snap(self) -> None:
        """What was typed by hand goes to the nearest size the model can draw."""
        snapped = self._rule.snap(*self.sides())
        if snapped != self.sides():
            self.show_sides(*snapped)

    def _mark(self) -> None:
        """Presses the chip whose proportions the sides have, none when there is none."""
        self._group.setExclusive(False)
        for chip in self._chips:
            chip.setChecked(self.sides() == self._sides_of(chip.ratio))
        self._group.setExclusive(True)
        if self._rule.only and self.sides() in self._rule.only:
            self._listed.setCurrentIndex(self._rule.only.index(self.sides()))

    def _arrange(self) -> None:
        swap = self._swap_button
        swap.setAccessibleName(self.tr("Swap width and height"))
        swap.setToolTip(swap.accessibleName())
        name_icon(swap, "swap", "muted")
        swap.clicked.connect(self._swap)
        self._listed.setAccessibleName(self.tr("Sizes of this model"))
        self._listed.activated.connect(lambda _: self._take_listed())
        self._listed.hide()
        sides = QHBoxLayout()
        sides.setSpacing(4)
        sides.addWidget(captioned(self.tr("Width"), self.width_spin), 1)
        sides.addWidget(swap, 0, Qt.AlignmentFlag.AlignBottom)
        sides.addWidget(captioned(self.tr("Height"), self.height_spin), 1)
        chips = QHBoxLayout()
        chips.setSpacing(4)
        for chip in self._chips:
            chips.addWidget(chip, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(sides)
        column.addLayout(chips)
        column.addWidget(self._listed)


def sides_for(across: int, down: int, area: int, multiple: int) -> tuple[int, int]:
    """Width and height of these proportions with about `area` pixels, both multiples of `multiple`."""
    scale = math.sqrt(area / (across * down))
    return tuple(max(multiple, round(part * scale / multiple) * multiple) for part in (across, down))  # type: ignore[return-value]
