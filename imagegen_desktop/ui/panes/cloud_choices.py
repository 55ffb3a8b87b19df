"""Cloud choices: quality and background, where a provider's model has them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ...domain.request import GenerationRequest
from ..widgets.fields import Choice, captioned


class CloudChoices(QWidget):
    """Hidden for models that leave nothing to choose."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._combos = {"quality": Choice("qualityCombo"), "background": Choice("backgroundCombo")}
        captions = {"quality": self.tr("Quality"), "background": self.tr("Background")}
        self._holders = {name: captioned(captions[name], combo) for name, combo in self._combos.items()}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for name, combo in self._combos.items():
            row.addWidget(self._holders[name], 1)
            combo.currentIndexChanged.connect(self.changed)
        self.hide()

    def show_choices(self, qualities: tuple[str, ...], backgrounds: tuple[str, ...]) -> None:
        for name, options in (("quality", qualities), ("background", backgrounds)):
            self._fill(self._combos[name], options)
            self._holders[name].setVisible(bool(options))
        self.setVisible(bool(qualities or backgrounds))

    def show_request(self, request: GenerationRequest) -> None:
        for name, combo in self._combos.items():
            combo.setCurrentIndex(max(0, combo.findData(getattr(request, name) or "")))

    def values(self) -> dict[str, str | None]:
        """None is the model's own choice."""
        return {name: str(combo.currentData() or "") or None for name, combo in self._combos.items()}

    def _fill(self, combo: Choice, options: tuple[str, ...]) -> None:
        titles = {
            "auto": self.tr("Automatic"),
            "low": self.tr("Low"),
            "medium": self.tr("Medium"),
            "high": self.tr("High"),
            "xhigh": self.tr("Very high"),
            "max": self.tr("Highest"),
            "opaque": self.tr("Opaque"),
            "transparent": self.tr("Transparent"),
        }
        chosen = combo.currentData()
        combo.blockSignals(True)
        combo.clear()
        if options:
            combo.addItem(self.tr("Model’s own"), "")
        for option in options:
            combo.addItem(titles.get(option, option), option)
        combo.setCurrentIndex(max(0, combo.findData(chosen)))
        combo.blockSignals(False)
