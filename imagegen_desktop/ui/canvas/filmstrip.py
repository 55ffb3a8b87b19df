"""Filmstrip: the pictures of the batch under way, small, in a row."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ..theme import Theme
from ..tokens import CORNER
from ..widgets.items import Index

#: A job, and the number of the picture within it.
Place = tuple[str, int]

_SIDE = 56
_MOST = 200
_PLACE = Qt.ItemDataRole.UserRole + 1


class Filmstrip(QListView):
    """Hidden while a batch has fewer than two pictures. Tells of a picture its place, and whether it is the newest."""

    picture_chosen = Signal(QImage, object, bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("filmstrip")
        self.setAccessibleName(self.tr("Pictures of this batch"))
        self._frames = QStandardItemModel(self)
        self.setModel(self._frames)
        self.setItemDelegate(_Frame(theme, self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportMargins(12, 0, 12, 0)
        self.setFixedHeight(_SIDE + 24)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self._tell)
        self.activated.connect(self._tell)
        self.hide()

    def begin(self) -> None:
        """A new batch: the frames of the last one go."""
        self._frames.clear()
        self.hide()

    def add(self, image: QImage, place: Place) -> None:
        """Appends a picture; the oldest frames of a very long batch go."""
        item = QStandardItem()
        ratio = self.devicePixelRatioF()
        side = round(_SIDE * ratio)
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
        item.setIcon(QIcon(QPixmap.fromImage(image.scaled(side, side, keep, smooth))))
        item.setData(image, Qt.ItemDataRole.UserRole)
        item.setData(place, _PLACE)
        item.setAccessibleText(self.tr("Picture {0}").format(self._frames.rowCount() + 1))
        self._frames.appendRow(item)
        if self._frames.rowCount() > _MOST:
            self._frames.removeRow(0)
        self.scrollTo(item.index())
        self.setVisible(self._frames.rowCount() > 1)

    def mark(self, place: Place | None) -> None:
        """The one on the canvas; none when it is no picture of this batch."""
        rows = range(self._frames.rowCount())
        items = [item for item in map(self._frames.item, rows) if tuple(item.data(_PLACE)) == place]
        if items:
            self.setCurrentIndex(items[0].index())
        else:
            self.clearSelection()

    def _tell(self, index: QModelIndex) -> None:
        newest = index.row() == self._frames.rowCount() - 1
        self.picture_chosen.emit(index.data(Qt.ItemDataRole.UserRole), tuple(index.data(_PLACE)), newest)


class _Frame(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QListView) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(_SIDE + 8, _SIDE + 8)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        frame = QRectF(option.rect.x() + 4, option.rect.y() + 4, _SIDE, _SIDE)
        icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
        picture = icon.pixmap(QSize(4096, 4096))
        side = min(picture.width(), picture.height())
        part = QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(frame, picture, part)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 2))
            painter.drawRoundedRect(frame.adjusted(-2, -2, 2, 2), CORNER, CORNER)
        painter.restore()
