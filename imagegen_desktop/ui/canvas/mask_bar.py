"""The mask bar: above the canvas while there is a picture to start from — its name, the tools, the brush."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ...domain.outpainting import Sides
from ..icons import name_icon
from ..widgets.fields import Slider, WholeNumber
from ..widgets.flow_layout import FlowLayout
from ..widgets.labels import ElidedLabel, Label
from ..widgets.offered import offer
from .mask import LARGEST_BRUSH, Brush
from .painting import PAINTING, Tool

_STEPS = 100


class MaskBar(QWidget):
    tool_chosen = Signal(object)
    brush_changed = Signal(object)
    deed_wished = Signal(str)
    extend_requested = Signal(object)
    source_removed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("maskBar")
        self._brush = Brush()
        self._name = ElidedLabel()
        self._group = QButtonGroup(self)
        self._tools: dict[Tool, QToolButton] = {}
        self._deeds: dict[str, QToolButton] = {}
        self._size, self._hardness = Slider("brushSizeSlider", 0, _STEPS), Slider("brushHardnessSlider", 0, _STEPS)
        self._said = Label("", "small")
        self._pixels = WholeNumber("extendSpin", 8, 2048, 64)
        self._arrange()
        self._size.valueChanged.connect(self._size_moved)
        self._hardness.valueChanged.connect(self._hardness_moved)
        self.show_brush(self._brush)
        self.choose(Tool.HAND)

    def show_source(self, name: str) -> None:
        self._name.setText(self.tr("Starting from {0}").format(name or self.tr("a picture")))
        self._name.setToolTip(self._name.text())

    def show_missing(self, reason: str) -> None:
        """Why the chosen model cannot paint inside a mask; empty when it can."""
        for tool, button in self._tools.items():
            offer(button, "" if tool is Tool.HAND else reason)
        for button in self._deeds.values():
            offer(button, reason)
        if reason and not self._tools[Tool.HAND].isChecked():
            self.choose(Tool.HAND)
            self.tool_chosen.emit(Tool.HAND)

    def show_multiple(self, multiple: int) -> None:
        """Extending goes in these steps."""
        self._pixels.setMinimum(multiple)
        self._pixels.setSingleStep(max(multiple, 64 - 64 % multiple))
        self._pixels.setValue(max(multiple, 128 - 128 % multiple))

    def choose(self, tool: Tool) -> None:
        self._tools[tool].setChecked(True)
        self._brush_box.setVisible(tool in PAINTING)
        self._extend_box.setVisible(tool is Tool.EXTEND)

    def tool(self) -> Tool:
        return next(tool for tool, button in self._tools.items() if button.isChecked())

    def can(self, tool: Tool) -> bool:
        return self._tools[tool].isEnabled()

    def show_brush(self, brush: Brush) -> None:
        self._brush = brush
        for slider, value in (
            (self._size, round(_STEPS * math.log(max(1.0, brush.size), LARGEST_BRUSH))),
            (self._hardness, round(_STEPS * brush.hardness)),
        ):
            slider.blockSignals(True)
            slider.setValue(value)
            slider.blockSignals(False)
        self._said.setText(f"{round(brush.size)} px")

    def _size_moved(self, value: int) -> None:
        self._wish(self._brush.sized(round(LARGEST_BRUSH ** (value / _STEPS))))

    def _hardness_moved(self, value: int) -> None:
        self._wish(replace(self._brush, hardness=value / _STEPS))

    def _wish(self, brush: Brush) -> None:
        self._brush = brush
        self._said.setText(f"{round(brush.size)} px")
        self.brush_changed.emit(brush)

    def _button(self, icon: str, name: str, object_name: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(object_name)
        button.setAccessibleName(name)
        button.setToolTip(name)
        name_icon(button, icon, "muted")
        return button

    def _chip(self) -> QWidget:
        chip = QWidget()
        remove = self._button("close", self.tr("Remove the source picture"), "removeSourceButton")
        remove.clicked.connect(self.source_removed)
        row = _row(chip)
        row.addWidget(self._name, 1)
        row.addWidget(remove)
        chip.setFixedWidth(184)
        return chip

    def _tool_box(self) -> QWidget:
        box = QWidget()
        row = _row(box)
        for tool, icon, name in (
            (Tool.HAND, "hand", self.tr("Move the picture")),
            (Tool.BRUSH, "brush", self.tr("Paint a mask: what is drawn anew")),
            (Tool.ERASER, "eraser", self.tr("Erase from the mask")),
            (Tool.LASSO, "lasso", self.tr("Mask what a line goes around")),
            (Tool.RECTANGLE, "rectangle", self.tr("Mask a rectangle")),
            (Tool.EXTEND, "extend", self.tr("Extend the picture by pulling its edges")),
        ):
            button = self._button(icon, name, f"{tool.name.lower()}Tool")
            button.setToolTip(f"{name} ({tool.value})")
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, tool=tool: self.tool_chosen.emit(tool))
            self._group.addButton(button)
            self._tools[tool] = button
            row.addWidget(button)
        return box

    def _deed_box(self) -> QWidget:
        box = QWidget()
        row = _row(box)
        for deed, icon, name in (
            ("invert", "invert", self.tr("Invert the mask")),
            ("fill", "fill", self.tr("Fill the mask")),
            ("clear", "clear", self.tr("Clear the mask")),
        ):
            button = self._button(icon, name, f"{deed}MaskButton")
            button.clicked.connect(lambda _=False, deed=deed: self.deed_wished.emit(deed))
            self._deeds[deed] = button
            row.addWidget(button)
        return box

    def _brushes(self) -> QWidget:
        box = QWidget()
        row = _row(box)
        for slider, name, keys in (
            (self._size, self.tr("Size of the brush"), "[ ]"),
            (self._hardness, self.tr("Hardness of the brush’s edge"), "{ }"),
        ):
            slider.setAccessibleName(name)
            slider.setToolTip(f"{name} ({keys})")
            slider.setFixedWidth(72)
            row.addWidget(slider)
        self._said.setFixedWidth(52)
        row.insertWidget(1, self._said)
        return box

    def _extending(self) -> QWidget:
        box = QWidget()
        row = _row(box)
        self._pixels.setSuffix(" px")
        self._pixels.setFixedWidth(96)
        self._pixels.setAccessibleName(self.tr("Pixels to extend by"))
        for side, icon, name in (
            ("left", "arrow-left", self.tr("Extend to the left")),
            ("top", "arrow-up", self.tr("Extend upwards")),
            ("right", "arrow-right", self.tr("Extend to the right")),
            ("bottom", "arrow-down", self.tr("Extend downwards")),
        ):
            button = self._button(icon, name, f"extend{side.capitalize()}Button")
            button.clicked.connect(
                lambda _=False, side=side: self.extend_requested.emit(replace(Sides(), **{side: self._pixels.value()}))
            )
            row.addWidget(button)
        row.addWidget(self._pixels)
        return box

    def _arrange(self) -> None:
        self._brush_box, self._extend_box = self._brushes(), self._extending()
        flow = FlowLayout(spacing=8)
        around = QVBoxLayout(self)
        around.setContentsMargins(16, 6, 16, 6)
        around.addLayout(flow)
        for box in (self._chip(), self._tool_box(), self._deed_box(), self._brush_box, self._extend_box):
            flow.addWidget(box)


def _row(box: QWidget) -> QHBoxLayout:
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(2)
    return row
