"""The gallery's view: a virtual grid that lays out by arithmetic and paints only what is visible."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QRegion, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QWidget

from ..theme import Theme
from ..widgets.items import Index
from .gallery_cell import GAP, CellState, paint_cell
from .gallery_items import RECORD, GalleryItems
from .grid import Grid
from .thumbnails import Thumbnails

SMALLEST, LARGEST, USUAL = 72, 256, 120
_RATINGS = range(Qt.Key.Key_0, Qt.Key.Key_6)


class GalleryView(QAbstractItemView):
    """Row 0 is the newest image, at the top left."""

    bin_requested = Signal()
    rating_requested = Signal(int)
    full_screen_requested = Signal()

    def __init__(
        self, items: GalleryItems, thumbnails: Thumbnails, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("galleryView")
        self.setAccessibleName(self.tr("Gallery"))
        self._items = items
        self._thumbnails = thumbnails
        self._theme = theme
        self._cell = USUAL
        self.setModel(items)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.verticalScrollBar().valueChanged.connect(self._look)
        items.rowsInserted.connect(lambda *_: self.updateGeometries())
        items.rowsRemoved.connect(lambda *_: self.updateGeometries())
        thumbnails.arrived.connect(self._repaint)

    def set_cell(self, side: int) -> None:
        """The side of a cell in pixels; what is at the top stays there."""
        first = self._visible().start
        self._cell = max(SMALLEST, min(LARGEST, side))
        self.updateGeometries()
        if first:
            self.verticalScrollBar().setValue(self._grid().rect(first).top() - self._grid().margin)

    # ---- where things are: what QAbstractItemView leaves to us -----------------------------------------

    def visualRect(self, index: Index) -> QRect:
        if not index.isValid():
            return QRect()
        return self._grid().rect(index.row()).translated(0, -self.verticalOffset())

    def indexAt(self, point: QPoint) -> QModelIndex:
        place = self._grid().at(point + QPoint(0, self.verticalOffset()))
        return self._items.index(place) if place >= 0 else QModelIndex()

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        rect, port = self.visualRect(index), self.viewport().rect()
        bar = self.verticalScrollBar()
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + rect.center().y() - port.center().y())
        elif rect.top() < port.top():
            bar.setValue(bar.value() + rect.top() - GAP)
        elif rect.bottom() > port.bottom():
            bar.setValue(bar.value() + min(rect.bottom() - port.bottom() + GAP, rect.top()))

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        grid, current = self._grid(), self.currentIndex().row()
        move = QAbstractItemView.CursorAction
        page = max(1, self.viewport().height() // grid.side) * grid.columns
        steps = {
            move.MoveLeft: -1, move.MovePrevious: -1, move.MoveRight: 1, move.MoveNext: 1,
            move.MoveUp: -grid.columns, move.MoveDown: grid.columns,
            move.MovePageUp: -page, move.MovePageDown: page,
            move.MoveHome: -grid.count, move.MoveEnd: grid.count,
        }  # fmt: skip
        if not grid.count:
            return QModelIndex()
        place = max(0, min(grid.count - 1, max(0, current) + steps[action])) if current >= 0 else 0
        return self._items.index(place)

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: Index) -> bool:
        return False

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        selection = QItemSelection()
        for run in self._grid().inside(rect.normalized().translated(0, self.verticalOffset())):
            selection.select(self._items.index(run.start), self._items.index(run.stop - 1))
        self.selectionModel().select(selection, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        # The whole viewport: repainting it costs the visible cells only, however long a selection is.
        return QRegion(self.viewport().rect())

    def updateGeometries(self) -> None:
        super().updateGeometries()
        bar = self.verticalScrollBar()
        bar.setSingleStep(self._cell // 3)
        bar.setPageStep(self.viewport().height())
        bar.setRange(0, max(0, self._grid().height - self.viewport().height()))
        self._look()

    # ---- what the artist does and sees -------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.bin_requested.emit()
        elif event.key() in _RATINGS and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.rating_requested.emit(event.key() - Qt.Key.Key_0)
        elif event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.full_screen_requested.emit()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_cell(self._cell + (16 if event.angleDelta().y() > 0 else -16))
            event.accept()
        else:
            super().wheelEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), QColor(self._theme.tokens.panel))
        grid, offset = self._grid(), self.verticalOffset()
        for place in grid.between(event.rect().top() + offset, event.rect().bottom() + offset):
            cell = grid.rect(place).translated(0, -offset)
            if cell.intersects(event.rect()):
                self._paint_cell(painter, place, cell)

    def _paint_cell(self, painter: QPainter, place: int, cell: QRect) -> None:
        index = self._items.index(place)
        record = index.data(RECORD)
        state = CellState(
            selected=self.selectionModel().isSelected(index),
            focused=index == self.currentIndex() and self.hasFocus(),
            rating=record.rating if record else 0,
        )
        picture = self._thumbnails.pixmap(self._items.number(place))
        paint_cell(painter, cell.adjusted(0, 0, -GAP, -GAP), picture, state, self._theme.tokens)

    def _grid(self) -> Grid:
        return Grid(count=self._items.rowCount(), width=self.viewport().width(), cell=self._cell)

    def _visible(self, screens: float = 0.0) -> range:
        height = self.viewport().height()
        more = int(height * screens)
        return self._grid().between(self.verticalOffset() - more, self.verticalOffset() + height + more)

    def _look(self) -> None:
        """Asks for what is visible first, then for what is near."""
        self.viewport().update()
        visible, near = self._items.numbers(self._visible()), self._items.numbers(self._visible(1.5))
        seen = set(visible)
        self._thumbnails.want([*visible, *(number for number in near if number not in seen)])
        self._items.fetch(visible, lambda _: self.viewport().update())

    def _repaint(self, number: int) -> None:
        row = self._items.row_of(number)
        if row >= 0:
            self.viewport().update(self.visualRect(self._items.index(row)))
