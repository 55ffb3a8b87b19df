"""The settings, generated from their declarations; every change takes effect at once."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QLineEdit,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ...settings import Setting, Value
from ..widgets.fields import Choice, Number, WholeNumber, section
from ..widgets.labels import Label, WrappedLabel
from ..widgets.message_bar import MessageBar
from .keys_page import KeysPage

_MANY = 2**31 - 1


class SettingsDialog(QDialog):
    """`setting_changed` tells a name and its new value."""

    setting_changed = Signal(str, object)

    def __init__(
        self, declared: Mapping[str, Setting], values: Mapping[str, Value], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("settingsDialog")
        self.setWindowTitle(self.tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(560, 640)
        self.messages = MessageBar()
        self.keys = KeysPage()
        self._pages = QTabWidget()
        self._arrange(declared, values)

    def show_keys(self) -> None:
        """Turns to the page about keys."""
        self._pages.setCurrentWidget(self.keys)

    def _arrange(self, declared: Mapping[str, Setting], values: Mapping[str, Value]) -> None:
        body = QWidget()
        body.setObjectName("paneBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(8)
        said = ""
        for setting in sorted(declared.values(), key=lambda setting: _sections(declared).index(setting.section)):
            if setting.section != said:
                said = setting.section
                column.addSpacing(8)
                column.addWidget(section(self.tr(said)))
            column.addWidget(self._row(setting, values[setting.name]))
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.messages)
        outer.addWidget(self._pages)
        self._pages.setDocumentMode(True)
        self._pages.addTab(scroll, self.tr("General"))
        self._pages.addTab(self.keys, self.tr("Keys"))
        self._pages.tabBar().setAccessibleName(self.tr("Pages of the settings"))

    def _row(self, setting: Setting, value: Value) -> QWidget:
        row = QWidget()
        column = QVBoxLayout(row)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(4)
        label = self.tr(setting.label)
        control = self._control(setting, value)
        control.setObjectName(f"{setting.name}Setting")
        control.setAccessibleName(label)
        control.setAccessibleDescription(self.tr(setting.help))
        control.setMaximumWidth(320)
        column.addWidget(Label(label))
        column.addWidget(control)
        column.addWidget(WrappedLabel(self.tr(setting.help), "small"))
        return row

    def _control(self, setting: Setting, value: Value) -> QWidget:
        if setting.choices:
            return self._choice(setting, str(value))
        if setting.kind is bool:
            return self._switch(setting, bool(value))
        if setting.kind is int or setting.kind is float:
            return self._number(setting, float(value))
        return self._line(setting, str(value))

    def _choice(self, setting: Setting, value: str) -> QComboBox:
        names = {
            "system": self.tr("As the system"),
            "light": self.tr("Light"),
            "dark": self.tr("Dark"),
            "en": "English",
            "de": "Deutsch",
            "auto": self.tr("Automatic"),
            "whole": self.tr("The whole model"),
            "text apart": self.tr("Text encoders apart"),
            "streamed": self.tr("Streamed block by block"),
            "8 bit": self.tr("In 8 bits"),
        }
        choice = Choice(setting.name)
        for option in setting.choices:
            choice.addItem(names.get(option, option), option)
        choice.setCurrentIndex(max(0, choice.findData(value)))
        choice.activated.connect(lambda _: self._tell(setting, choice.currentData()))
        return choice

    def _switch(self, setting: Setting, value: bool) -> QCheckBox:
        switch = QCheckBox(self.tr("On"))
        switch.setChecked(value)
        switch.toggled.connect(lambda on: self._tell(setting, on))
        return switch

    def _number(self, setting: Setting, value: float) -> QWidget:
        low = -_MANY if setting.low is None else setting.low
        high = _MANY if setting.high is None else setting.high
        whole = setting.kind is int
        field = WholeNumber(setting.name, int(low), int(high)) if whole else Number(setting.name, low, high, 1.0)
        field.setSuffix(f" {self.tr(setting.unit)}" if setting.unit else "")
        field.setValue(int(value) if whole else value)  # type: ignore[arg-type]
        field.valueChanged.connect(lambda number: self._tell(setting, number))
        return field

    def _line(self, setting: Setting, value: str) -> QLineEdit:
        line = QLineEdit(value)
        line.editingFinished.connect(lambda: self._tell(setting, line.text()))
        return line

    def _tell(self, setting: Setting, value: object) -> None:
        self.messages.clear()
        self.setting_changed.emit(setting.name, value)


def _sections(declared: Mapping[str, Setting]) -> list[str]:
    """Sections in the order in which they are first declared."""
    return list(dict.fromkeys(setting.section for setting in declared.values()))
