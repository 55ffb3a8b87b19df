"""The easel: the picture to start from with its mask and the tools for both, wherever else the canvas looks."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from ..theme import Theme
from .brush_keys import BrushKeys
from .frame import Frame
from .mask import Brush, Mask
from .mask_bar import MaskBar
from .painting import Painting, Tool
from .view import Canvas


class Easel(QObject):
    """The mask is painted on only while its picture is on the canvas; choosing a tool wishes it back there.

    `stroke_finished` tells the stroke's name and the mask's levels after it.
    """

    stroke_finished = Signal(str, object)
    extend_requested = Signal(object)
    source_wanted = Signal(object)

    def __init__(self, canvas: Canvas, theme: Theme) -> None:
        super().__init__(canvas)
        self.bar = MaskBar()
        self.bar.hide()
        self.multiple = 8
        self._canvas = canvas
        self._painting = Painting(canvas, theme)
        self._frame = Frame(canvas, theme)
        self._keys = BrushKeys(self._painting, canvas)
        self._source = QImage()
        self._mask: Mask | None = None
        self._connect()

    def show_source(self, name: str, image: QImage, mask: QImage | None = None) -> None:
        """A picture to start from and what is painted on it already; a null image puts it away."""
        self._source = image
        if image.isNull():
            self._mask = None
        else:
            self._mask = Mask(mask) if mask is not None else Mask.blank(image.size())
        self.bar.setVisible(not image.isNull())
        self.bar.show_source(name)
        if image.isNull():
            self._choose(Tool.HAND)
        self._look()

    def source(self) -> QImage:
        return self._source

    def show_missing(self, reason: str) -> None:
        """Why the chosen model cannot paint inside a mask; empty when it can."""
        self.bar.show_missing(reason)

    def show_multiple(self, multiple: int) -> None:
        """The sides of the chosen model's pictures are multiples of this."""
        self.multiple = multiple
        self.bar.show_multiple(multiple)
        self._frame.show_multiple(multiple)

    def is_painting(self) -> bool:
        """Whether a stroke is under way: nothing may take the picture's place on the canvas."""
        return self._painting.is_drawing()

    def is_in_use(self) -> bool:
        """Whether the artist works on the picture: a job that begins meanwhile is not put over it."""
        return self.bar.tool() is not Tool.HAND and self._is_on_canvas()

    def put_tools_away(self) -> None:
        """The artist wants to see the result now."""
        self._choose(Tool.HAND)

    def _choose(self, tool: Tool) -> None:
        if not self.bar.can(tool):
            return
        self.bar.choose(tool)
        self._painting.choose(tool)
        self._frame.choose(tool)
        if tool is not Tool.HAND and not self._is_on_canvas():
            self.source_wanted.emit(self._source)

    def _apply(self, deed: str) -> None:
        if not self._is_on_canvas():
            self.source_wanted.emit(self._source)
        self._painting.apply(deed)

    def _look(self) -> None:
        """Another picture is on the canvas, or the source's is again."""
        here = self._is_on_canvas()
        self._painting.show_mask(self._mask if here else None)
        self._frame.show_possible(here)

    def _is_on_canvas(self) -> bool:
        return not self._source.isNull() and self._canvas.picture().cacheKey() == self._source.cacheKey()

    def _take_brush(self, brush: Brush) -> None:
        self._painting.show_brush(brush)
        self.bar.show_brush(brush)

    def _finished(self, label: str) -> None:
        if self._mask is not None:
            self.stroke_finished.emit(label, self._mask.levels())

    def _connect(self) -> None:
        self._canvas.picture_changed.connect(self._look)
        self._keys.brush_wished.connect(self._take_brush)
        self._keys.tool_wished.connect(self._choose)
        self.bar.brush_changed.connect(self._painting.show_brush)
        self.bar.tool_chosen.connect(self._choose)
        self.bar.deed_wished.connect(self._apply)
        self.bar.extend_requested.connect(self.extend_requested)
        self._frame.extend_requested.connect(self.extend_requested)
        self._painting.stroke_finished.connect(self._finished)
