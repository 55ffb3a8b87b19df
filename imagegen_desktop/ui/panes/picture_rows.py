"""The rows of one kind of network that is shown a picture, under a title with a button that adds one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ..theme import Theme
from ..widgets.offered import offer
from .control_row import ControlRow
from .image_prompt_row import ImagePromptRow
from .picture_row import Acting, Network
from .titled import adder, titled

Row = ControlRow | ImagePromptRow


class PictureRows(QWidget):
    changed = Signal()
    picture_wanted = Signal(object)
    picture_dropped = Signal(object, object)
    look_wanted = Signal(object, object, str)
    row_added = Signal(object)

    def __init__(self, theme: Theme, title: str, adding: str, button: str, make: Callable[[], Row]) -> None:
        """`button` is the name of the one that adds a row."""
        super().__init__()
        self._theme = theme
        self._make = make
        self._networks: Sequence[Network] = ()
        self._rows: list[Row] = []
        self._add = adder(adding)
        self._add.setObjectName(button)
        self._add.clicked.connect(self.add)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addLayout(titled(title, self._add))

    def values(self) -> list[Acting]:
        """Those that have an effect."""
        return [value for row in self._rows if (value := row.value()) is not None]

    def add(self) -> None:
        """An empty one, for the artist to fill."""
        self._new()
        self.changed.emit()

    def show_networks(self, networks: Sequence[Network], reason: str) -> None:
        """Those there are, and why no row can be added (empty when one can)."""
        self._networks = networks
        offer(self._add, reason)
        for row in self._rows:
            row.show_networks(networks)

    def show_acting(self, several: Iterable[Acting]) -> None:
        """Takes over those of another picture."""
        for row in [*self._rows]:
            self._remove(row)
        for acting in several:
            self._new().show_acting(acting)

    def _new(self) -> Row:
        row = self._make()
        row.show_networks(self._networks)
        row.picture_wanted.connect(lambda: self.picture_wanted.emit(row))
        row.picture_dropped.connect(lambda picture: self.picture_dropped.emit(row, picture))
        row.look_wanted.connect(lambda source, how: self.look_wanted.emit(row, source, how))
        row.changed.connect(self.changed)
        row.removed.connect(lambda: self._taken_off(row))
        self._rows.append(row)
        self._column.addWidget(row)
        self._theme.dress(row)
        self.row_added.emit(row)
        return row

    def _taken_off(self, row: Row) -> None:
        self._remove(row)
        self.changed.emit()

    def _remove(self, row: Row) -> None:
        self._rows = [each for each in self._rows if each is not row]
        row.hide()
        row.deleteLater()
