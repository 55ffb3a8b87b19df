"""The bar at the top: which model, which provider, how the engine is, and the way to everything else."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QToolBar, QToolButton, QWidget

from ...domain.engine_status import EngineStatus
from ..actions import Actions
from ..theme import Theme
from ..widgets.engine_chip import EngineChip
from ..widgets.fields import Choice
from ..widgets.labels import Label


class TopBar(QToolBar):
    model_chosen = Signal(str)
    provider_chosen = Signal(str)

    def __init__(self, theme: Theme, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self.setWindowTitle(self.tr("Tool bar"))
        self.setMovable(False)
        self.setIconSize(QSize(16, 16))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._models = Choice("modelCombo")
        self._providers = Choice("providerCombo")
        self._chip = EngineChip(theme)
        self._arrange(actions)
        self._models.activated.connect(lambda _: self.model_chosen.emit(self.model()))
        self._providers.activated.connect(lambda _: self.provider_chosen.emit(self.provider()))

    def show_models(self, titles: dict[str, str], chosen: str) -> None:
        """The chosen provider's models: titles by name."""
        self._models.clear()
        for name, title in titles.items():
            self._models.addItem(title, name)
        if not titles:
            self._models.addItem(self.tr("No model yet"), "")
        self._models.setEnabled(bool(titles))
        self._models.setCurrentIndex(max(0, self._models.findData(chosen)))

    def show_providers(self, titles: dict[str, str]) -> None:
        """Providers' titles by name."""
        chosen = self.provider()
        self._providers.clear()
        for name, title in titles.items():
            self._providers.addItem(self.tr(title), name)
        self.choose_provider(chosen)

    def show_engine(self, status: EngineStatus) -> None:
        self._chip.show_status(status)

    def model(self) -> str:
        return str(self._models.currentData() or "")

    def choose_provider(self, name: str) -> bool:
        """False when there is no such provider."""
        place = self._providers.findData(name)
        if place >= 0:
            self._providers.setCurrentIndex(place)
        return place >= 0

    def provider(self) -> str:
        return str(self._providers.currentData() or "local")

    def _arrange(self, actions: Actions) -> None:
        self._models.setMinimumWidth(200)
        self._models.setAccessibleName(self.tr("Model"))
        self._providers.setMinimumWidth(168)
        self._providers.setAccessibleName(self.tr("Provider"))
        self.addWidget(_spaced(Label(self.tr("Model"), "muted")))
        self.addWidget(self._models)
        self.addWidget(_spaced(Label(self.tr("on"), "muted")))
        self.addWidget(self._providers)
        stretch = QWidget()
        stretch.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(stretch)
        self.addWidget(self._chip)
        for name in ("undo", "redo", "palette", "settings"):
            button = QToolButton()
            button.setDefaultAction(actions[name])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setAccessibleName(actions[name].text())
            self.addWidget(button)


def _spaced(label: Label) -> Label:
    label.setContentsMargins(8, 0, 0, 0)
    return label
