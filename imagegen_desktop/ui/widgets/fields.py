"""Fields: a control under its caption, and number fields that a passing mouse wheel does not change."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from .labels import Label

#: In a narrow pane a field may not show its largest value.
_NARROWEST = 64


def captioned(caption: str, control: QWidget) -> QWidget:
    """The control below its caption, which is its accessible name too."""
    holder = QWidget()
    label = Label(caption, "small")
    label.setBuddy(control)
    control.setAccessibleName(caption)
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    column.addWidget(label)
    column.addWidget(control)
    return holder


def section(caption: str) -> QLabel:
    return Label(caption, "section")


class WholeNumber(QSpinBox):
    """Typing is not interrupted by its own effects, and only a focused field follows the wheel."""

    def __init__(self, name: str, low: int, high: int, step: int = 1) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setRange(low, high)
        self.setSingleStep(step)
        _prepare(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if _only_with_focus(self, event):
            super().wheelEvent(event)


class Number(QDoubleSpinBox):
    def __init__(self, name: str, low: float, high: float, step: float) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setDecimals(1)
        _prepare(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if _only_with_focus(self, event):
            super().wheelEvent(event)


class Choice(QComboBox):
    """A drop-down list whose width does not follow its longest entry."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setMaxVisibleItems(16)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if _only_with_focus(self, event):
            super().wheelEvent(event)


class Slider(QSlider):
    def __init__(self, name: str, low: int, high: int) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setObjectName(name)
        self.setRange(low, high)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if _only_with_focus(self, event):
            super().wheelEvent(event)


def _prepare(field: QAbstractSpinBox) -> None:
    field.setKeyboardTracking(False)
    field.setMinimumWidth(_NARROWEST)
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    # A style sheet's padding does not reach the text of a spin box.
    field.lineEdit().setTextMargins(6, 0, 0, 0)


def _only_with_focus(control: QWidget, event: QWheelEvent) -> bool:
    """A pane is scrolled over its fields without changing them."""
    if control.hasFocus():
        return True
    event.ignore()
    return False
