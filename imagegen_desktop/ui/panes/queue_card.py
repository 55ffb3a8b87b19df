"""One card of the queue: state, words, progress, and what went wrong with the button that mends it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ...domain.job import ACTIVE, Job, JobState
from ..icons import pixmap
from ..pace import Pace
from ..theme import Theme, sized
from ..tokens import BODY, CORNER, SMALL
from ..widgets import wrapped_text
from ..widgets.amounts import duration
from .queue_items import JOB, PACE, QueueItems, error_text

_PAD, _ICON, _BUTTON, _BUTTON_HEIGHT = 8, 16, 24, 20
_ERROR_LINES = 7
_SIGNS = {
    JobState.QUEUED: ("clock", "muted"),
    JobState.LEASED: ("brush", "accent_text"),
    JobState.RUNNING: ("brush", "accent_text"),
    JobState.SAVING: ("brush", "accent_text"),
    JobState.PAUSED: ("pause", "warning"),
    JobState.DONE: ("done", "good"),
    JobState.FAILED: ("alert", "error"),
    JobState.CANCELLED: ("close", "muted"),
    JobState.PARKED: ("alert", "warning"),
    JobState.UNCERTAIN: ("alert", "warning"),
}
_MENDABLE = (JobState.FAILED, JobState.PARKED, JobState.UNCERTAIN)


@dataclass(frozen=True)
class CardRects:
    """Where a card's parts lie; `error`, `remedy` and `dismissal` are empty when nothing went wrong."""

    card: QRect
    icon: QRect
    title: QRect
    meta: QRect
    bar: QRect
    button: QRect
    error: QRect
    remedy: QRect
    dismissal: QRect


class QueueCard(QStyledItemDelegate):
    """`stop_requested` is the ✕ of a job under way or waiting, `remedy_requested` the button under an error; a job
    that was set aside can be cancelled there too."""

    stop_requested = Signal(str)
    remedy_requested = Signal(str)

    def __init__(self, theme: Theme, items: QueueItems, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._theme = theme
        self._items = items
        self._view = view
        self._heights: dict[tuple[JobState, int, str], int] = {}

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        job: Job = index.data(JOB)
        return QSize(0, self._height(job, self._view.viewport().width()))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        job: Job = index.data(JOB)
        rects = self.rects(option.rect, job)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_back(painter, rects.card, option.state)
        self._paint_words(painter, rects, job, index.data(PACE))
        if rects.error.height():
            self._paint_error(painter, rects, job)
        if option.state & QStyle.StateFlag.State_MouseOver and rects.button.width():
            sign = pixmap("close", self._theme.tokens.text, _ICON, painter.device().devicePixelRatio())
            painter.drawPixmap(rects.button.center() - QPoint(7, 7), sign)
        painter.restore()

    def editorEvent(
        self,
        event: QEvent,
        model: object,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            job: Job = index.data(JOB)
            rects, point = self.rects(option.rect, job), event.position().toPoint()
            if rects.button.contains(point) or rects.dismissal.contains(point):
                self.stop_requested.emit(job.id)
                return True
            if rects.remedy.contains(point):
                self.remedy_requested.emit(job.id)
                return True
        return False

    def rects(self, place: QRect, job: Job) -> CardRects:
        """The parts from top to bottom; the card is as high as what it has to say."""
        font = self._view.font()
        line, small = QFontMetrics(font).height(), QFontMetrics(sized(font, SMALL)).height()
        card = QRect(place.left() + 8, place.top() + 2, place.width() - 16, 0)
        left = card.left() + _PAD + _ICON + _PAD
        stoppable = job.state in ACTIVE or job.state in (JobState.QUEUED, JobState.PAUSED)
        width = card.right() - _PAD - left - (_BUTTON if stoppable else 0)
        title = QRect(left, card.top() + _PAD, width, line)
        beside = title.center().y() - _BUTTON_HEIGHT // 2
        button = QRect(card.right() - _BUTTON - 2, beside, _BUTTON if stoppable else 0, _BUTTON_HEIGHT)
        meta = QRect(left, title.bottom() + 3, card.right() - _PAD - left, small)
        bottom = meta.bottom() + _PAD
        bar = QRect(left, meta.bottom() + 6, meta.width(), 3 if job.state in ACTIVE else 0)
        if bar.height():
            bottom = bar.bottom() + _PAD + 2
        error, remedy, dismissal = QRect(), QRect(), QRect()
        if job.error is not None:
            above = bar if bar.height() else meta
            error = QRect(left, above.bottom() + 6, meta.width(), self._error_height(job, meta.width()))
            bottom = error.bottom() + _PAD
            if job.state in _MENDABLE:
                remedy = QRect(left, error.bottom() + 6, self._button_width(self.tr("Retry")), 26)
                if job.state is not JobState.FAILED:
                    dismissal = QRect(remedy.right() + 5, remedy.top(), self._button_width(self.tr("Cancel")), 26)
                bottom = remedy.bottom() + _PAD + 2
        card.setBottom(bottom)
        icon = QRect(card.left() + _PAD, card.top() + _PAD + (line - _ICON) // 2, _ICON, _ICON)
        return CardRects(card, icon, title, meta, bar, button, error, remedy, dismissal)

    def _height(self, job: Job, width: int) -> int:
        """Remembered for cards of one kind: a queue may have ten thousand."""
        kind = (job.state, width, error_text(job))
        height = self._heights.get(kind)
        if height is None:
            height = self._heights[kind] = self.rects(QRect(0, 0, width, 0), job).card.height() + 4
        return height

    def _error_height(self, job: Job, width: int) -> int:
        font = sized(self._view.font(), SMALL)
        most = _ERROR_LINES * QFontMetrics(font).height()
        return min(most, wrapped_text.height(error_text(job), font, width))

    def _button_width(self, text: str) -> int:
        return QFontMetrics(self._view.font()).horizontalAdvance(text) + 24

    def _paint_back(self, painter: QPainter, card: QRect, state: QStyle.StateFlag) -> None:
        tokens = self._theme.tokens
        selected = state & QStyle.StateFlag.State_Selected
        hovered = state & QStyle.StateFlag.State_MouseOver
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.selected if selected else tokens.hover if hovered else tokens.raised))
        painter.drawRoundedRect(card, CORNER, CORNER)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(tokens.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(card).adjusted(0.5, 0.5, -0.5, -0.5), CORNER, CORNER)

    def _paint_words(self, painter: QPainter, rects: CardRects, job: Job, pace: Pace | None) -> None:
        tokens = self._theme.tokens
        name, role = _SIGNS[job.state]
        ratio = painter.device().devicePixelRatio()
        painter.drawPixmap(rects.icon.topLeft(), pixmap(name, str(getattr(tokens, role)), _ICON, ratio))
        painter.setPen(QColor(tokens.text))
        painter.setFont(sized(self._view.font(), BODY))
        words = self._items.title(job)
        _draw_line(painter, rects.title, words)
        painter.setPen(QColor(tokens.muted))
        painter.setFont(sized(self._view.font(), SMALL))
        _draw_line(painter, rects.meta, self._meta(job, pace))
        if rects.bar.height():
            self._paint_bar(painter, QRectF(rects.bar), pace)

    def _paint_bar(self, painter: QPainter, bar: QRectF, pace: Pace | None) -> None:
        tokens = self._theme.tokens
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.border))
        painter.drawRoundedRect(bar, 1.5, 1.5)
        if pace is not None and pace.share > 0:
            painter.setBrush(QColor(tokens.accent_text))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * pace.share, bar.height()), 1.5, 1.5)

    def _paint_error(self, painter: QPainter, rects: CardRects, job: Job) -> None:
        tokens = self._theme.tokens
        painter.setFont(sized(self._view.font(), SMALL))
        painter.setPen(QColor(tokens.error if job.state is JobState.FAILED else tokens.warning))
        wrapped_text.draw(painter, rects.error, error_text(job))
        painter.setFont(self._view.font())
        for rect, text in ((rects.remedy, self.tr("Retry")), (rects.dismissal, self.tr("Cancel"))):
            if rect.width():
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(tokens.pressed))
                painter.drawRoundedRect(rect, CORNER, CORNER)
                painter.setPen(QColor(tokens.text))
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)

    def _meta(self, job: Job, pace: Pace | None) -> str:
        request = job.request
        parts = [self._items.state_name(job)]
        if job.state in ACTIVE and pace is not None and pace.steps:
            if request.count > 1:
                parts = [f"{pace.index + 1}/{request.count}"]
            parts.append(self.tr("step {0}/{1}").format(pace.step, pace.steps))
            if pace.left:
                parts.append(duration(pace.left))
        else:
            parts += [f"{request.width} × {request.height}"]
            parts += [self.tr("%n step(s)", "", request.steps)] if request.steps else []
            parts += [f"× {request.count}"] if request.count > 1 else []
        return " · ".join(parts)


def _draw_line(painter: QPainter, rect: QRect, text: str) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
