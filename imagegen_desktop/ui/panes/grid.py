"""Grid: where cells lie when all are of one size; every answer is arithmetic, however many there are."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect


@dataclass(frozen=True, kw_only=True)
class Grid:
    """`cell` is the least side of a cell with its gap; cells are as large as fills a row.

    `margin` is left and right of the cells and below them, `top` above.
    """

    count: int
    width: int
    cell: int
    margin: int = 16
    top: int = 4

    @property
    def columns(self) -> int:
        return max(1, (self.width - 2 * self.margin) // self.cell)

    @property
    def side(self) -> int:
        """A cell's side, so that the columns fill the width."""
        return max(self.cell, (self.width - 2 * self.margin) // self.columns)

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def height(self) -> int:
        return self.rows * self.side + self.top + self.margin

    def rect(self, place: int) -> QRect:
        """The cell's rectangle in the coordinates of the whole content."""
        row, column = divmod(place, self.columns)
        return QRect(self.margin + column * self.side, self.top + row * self.side, self.side, self.side)

    def at(self, point: QPoint) -> int:
        """The place under a content point, -1 between and outside the cells."""
        column, row = (point.x() - self.margin) // self.side, (point.y() - self.top) // self.side
        place = row * self.columns + column
        return place if 0 <= column < self.columns and row >= 0 and place < self.count else -1

    def between(self, top: int, bottom: int) -> range:
        """The places whose cells touch the band from `top` to `bottom`."""
        first = max(0, (top - self.top) // self.side) * self.columns
        last = ((bottom - self.top) // self.side + 1) * self.columns
        return range(min(first, self.count), max(0, min(last, self.count)))

    def inside(self, area: QRect) -> list[range]:
        """The runs of places whose cells touch a rectangle, one run a row."""
        first = max(0, (area.left() - self.margin) // self.side)
        last = min(self.columns - 1, (area.right() - self.margin) // self.side)
        if first > last:
            return []
        runs = []
        for row in range(max(0, (area.top() - self.top) // self.side), (area.bottom() - self.top) // self.side + 1):
            run = range(row * self.columns + first, min(row * self.columns + last + 1, self.count))
            if run:
                runs.append(run)
        return runs
