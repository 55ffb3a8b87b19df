"""Style cards: every preset with a small picture, one of them chosen."""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPainterPath, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ...domain.style import NO_STYLE, StylePreset
from ..icons import pixmap
from ..pictures import OnImage
from ..theme import Theme, sized
from ..tokens import CORNER, SMALL
from ..widgets.items import ROOT, Index

LoadPicture = Callable[[Path, OnImage, int], None]

_GAP = 8
_LABEL = 20
_ROWS = 2
_PICTURE = 256


class StyleItems(QAbstractListModel):
    """Presets by row. DecorationRole is the card's picture."""

    def __init__(self, load: LoadPicture, parent: QWidget) -> None:
        super().__init__(parent)
        self._load = load
        self._styles: list[StylePreset] = []
        self._pictures: dict[str, QImage] = {}

    def show_styles(self, styles: list[StylePreset]) -> None:
        self.beginResetModel()
        self._styles = styles
        self.endResetModel()
        for style in styles:
            if style.picture and style.name not in self._pictures:
                self._load(Path(style.picture), partial(self._keep, style.name), _PICTURE)

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self._styles)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        style = self._styles[index.row()]
        title = self.tr(style.title) if style.title and style.built_in else style.title or style.name
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return title
            case Qt.ItemDataRole.UserRole:
                return style.name
            case Qt.ItemDataRole.DecorationRole:
                return self._picture(style.name)
        return None

    def style(self, row: int) -> StylePreset:
        return self._styles[row]

    def row_of(self, name: str) -> int:
        """The row of a preset, -1 when there is none of that name."""
        names = [style.name.casefold() for style in self._styles]
        return names.index(name.casefold()) if name.casefold() in names else -1

    def _picture(self, name: str) -> QImage:
        if name not in self._pictures:
            self._pictures[name] = drawn_picture(name)
        return self._pictures[name]

    def _keep(self, name: str, image: QImage) -> None:
        row = self.row_of(name)
        if not image.isNull() and row >= 0:
            self._pictures[name] = image
            self.dataChanged.emit(self.index(row), self.index(row))


class StyleCards(QListView):
    """Two rows of cards until `show_all`; the chosen one wears the accent's ring."""

    style_chosen = Signal(str)

    def __init__(self, theme: Theme, load: LoadPicture, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("styleList")
        self.setAccessibleName(self.tr("Styles"))
        self._items = StyleItems(load, self)
        self._all = False
        self.setModel(self._items)
        self.setItemDelegate(CardPainter(theme, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.selectionModel().currentChanged.connect(self._tell)

    def show_styles(self, styles: list[StylePreset]) -> None:
        chosen = self.chosen()
        self._items.show_styles(styles)
        self.choose(chosen)
        self._fit()

    def choose(self, name: str) -> None:
        row = max(0, self._items.row_of(name))
        self.setCurrentIndex(self._items.index(row))

    def chosen(self) -> str:
        name = self.currentIndex().data(Qt.ItemDataRole.UserRole)
        return str(name) if name else NO_STYLE

    def preset(self) -> StylePreset:
        index = self.currentIndex()
        return self._items.style(index.row()) if index.isValid() else StylePreset(name=NO_STYLE)

    def show_all(self, everything: bool) -> None:
        self._all = everything
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def _columns(self) -> int:
        return max(2, min(6, (self.viewport().width() + _GAP) // 80))

    def _fit(self) -> None:
        width = (self.viewport().width() - 1) // self._columns()
        card = QSize(max(40, width), max(40, round((width - _GAP) * 0.62)) + _LABEL + _GAP)
        self.setGridSize(card)
        rows = -(-max(1, self._items.rowCount()) // self._columns())
        self.setFixedHeight(card.height() * (rows if self._all else min(_ROWS, rows)) + 2)
        self.scrollTo(self.currentIndex())

    def _tell(self, current: QModelIndex) -> None:
        if current.isValid():
            self.style_chosen.emit(self.chosen())


class CardPainter(QStyledItemDelegate):
    """Paints one card: the picture with round corners, its title below."""

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self._view.gridSize()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = self._theme.tokens
        rect = option.rect
        # The grid's cells leave no gap at the right edge; the cards are spread over the whole width.
        columns = max(1, self._view.viewport().width() // self._view.gridSize().width())
        width = (self._view.viewport().width() - _GAP * (columns - 1)) / columns
        left = (index.row() % columns) * (width + _GAP)
        picture = QRectF(left, rect.top() + 2, width, rect.height() - _LABEL - _GAP)
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_picture(painter, picture, index)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(QColor(tokens.accent if chosen else tokens.muted), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(picture.adjusted(1, 1, -1, -1), CORNER, CORNER)
        if chosen and state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.text), 1))
            painter.drawRoundedRect(picture.adjusted(2.5, 2.5, -2.5, -2.5), CORNER - 1, CORNER - 1)
        font = sized(option.font, SMALL, bold=chosen)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text if chosen else tokens.muted))
        label = QRect(round(left), round(picture.bottom()) + 2, round(width), _LABEL)
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, label.width())
        painter.drawText(label, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()

    def _paint_picture(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        shape = QPainterPath()
        shape.addRoundedRect(rect, CORNER, CORNER)
        painter.save()
        painter.setClipPath(shape)
        tokens = self._theme.tokens
        if index.data(Qt.ItemDataRole.UserRole) == NO_STYLE:
            painter.fillRect(rect, QColor(tokens.raised))
            ratio = painter.device().devicePixelRatio()
            icon = pixmap("image", tokens.muted, 20, ratio)
            painter.drawPixmap(rect.center() - QPointF(10, 10), icon)
        else:
            image: QImage = index.data(Qt.ItemDataRole.DecorationRole)
            painter.drawImage(rect, image, _cover(image, rect))
        painter.restore()


def drawn_picture(name: str) -> QImage:
    """A little landscape in colours of the name's own, for a style that has no picture yet."""
    seed = zlib.crc32(name.encode())
    hue = (seed % 997) / 997
    image = QImage(180, 124, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    sky = QLinearGradient(0, 0, 0, 90)
    sky.setColorAt(0, _tone(hue, 0.34, 0.50))
    sky.setColorAt(1, _tone(hue + 0.09, 0.42, 0.86))
    painter.fillRect(image.rect(), sky)
    painter.setBrush(_tone(hue + 0.14, 0.22, 0.97))
    painter.drawEllipse(QPointF(44 + seed // 7 % 92, 40 + seed // 11 % 14), 13, 13)
    for layer, (light, base) in enumerate(((0.56, 78), (0.40, 94), (0.27, 110))):
        painter.setBrush(_tone(hue - 0.05 * layer, 0.34, light))
        painter.drawPolygon(_hills(seed >> (3 * layer), base))
    painter.end()
    return image


def _hills(seed: int, base: int) -> QPolygonF:
    heights = [base - (seed >> shift) % 23 for shift in (0, 4, 8, 12, 16)]
    points = [QPointF(45 * column, height) for column, height in enumerate(heights)]
    return QPolygonF([*points, QPointF(180, 124), QPointF(0, 124)])


def _tone(hue: float, saturation: float, light: float) -> QColor:
    return QColor.fromRgbF(*colorsys.hls_to_rgb(hue % 1.0, light, saturation))


def _cover(image: QImage, rect: QRectF) -> QRectF:
    """The part of the image that fills `rect` without distortion."""
    scale = min(image.width() / max(1.0, rect.width()), image.height() / max(1.0, rect.height()))
    width, height = rect.width() * scale, rect.height() * scale
    return QRectF((image.width() - width) / 2, (image.height() - height) / 2, width, height)
