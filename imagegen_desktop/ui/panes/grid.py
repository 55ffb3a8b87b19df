"""Grid: where cells lie when all are of one size; every answer is arithmetic, however many there are."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect


@dataclass(frozen=True, kw_only=True)
class Grid:
    """`cell` is a cell's side with its gap; cells fill rows from the left; `margin` surrounds them all."""

    count: int
    width: int
    cell: int
    margin: int = 12

    @property
    def columns(self) -> int:
        return max(1, (self.width - 2 * self.margin) // self.cell)

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def height(self) -> int:
        return self.rows * self.cell + 2 * self.margin

    def rect(self, place: int) -> QRect:
        """The cell's rectangle in the coordinates of the whole content."""
        row, column = divmod(place, self.columns)
        return QRect(self.margin + column * self.cell, self.margin + row * self.cell, self.cell, self.cell)

    def at(self, point: QPoint) -> int:
        """The place under a content point, -1 between and outside the cells."""
        column, row = (point.x() - self.margin) // self.cell, (point.y() - self.margin) // self.cell
        place = row * self.columns + column
        return place if 0 <= column < self.columns and row >= 0 and place < self.count else -1

    def between(self, top: int, bottom: int) -> range:
        """The places whose cells touch the band from `top` to `bottom`."""
        first = max(0, (top - self.margin) // self.cell) * self.columns
        last = ((bottom - self.margin) // self.cell + 1) * self.columns
        return range(min(first, self.count), max(0, min(last, self.count)))

    def inside(self, area: QRect) -> list[range]:
        """The runs of places whose cells touch a rectangle, one run a row."""
        first = max(0, (area.left() - self.margin) // self.cell)
        last = min(self.columns - 1, (area.right() - self.margin) // self.cell)
        if first > last:
            return []
        runs = []
        for row in range(
            max(0, (area.top() - self.margin) // self.cell), (area.bottom() - self.margin) // self.cell + 1
        ):
            run = range(row * self.columns + first, min(row * self.columns + last + 1, self.count))
            if run:
                runs.append(run)
        return runs
