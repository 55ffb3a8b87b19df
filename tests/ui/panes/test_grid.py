"""The gallery's arithmetic holds for any number of images."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect

from imagegen_desktop.ui.panes.grid import Grid


@pytest.mark.parametrize("count", [1, 7, 1000, 1_000_000])
@pytest.mark.parametrize("width", [80, 500, 1400])
def test_a_cell_is_found_where_it_lies(count: int, width: int) -> None:
    grid = Grid(count=count, width=width, cell=120)
    for place in {0, count // 2, count - 1}:
        assert grid.at(grid.rect(place).center()) == place
        assert grid.rect(place).bottom() < grid.height


def test_cells_fill_the_width() -> None:
    grid = Grid(count=10, width=700, cell=120)
    assert grid.columns == 5
    assert grid.margin * 2 + grid.columns * grid.side <= 700
    assert grid.side >= 120


def test_nothing_is_found_beside_the_cells() -> None:
    grid = Grid(count=3, width=700, cell=120)
    assert grid.at(QPoint(2, 50)) == -1
    assert grid.at(grid.rect(3).center()) == -1
    assert Grid(count=0, width=700, cell=120).at(QPoint(50, 50)) == -1


def test_only_visible_rows_are_painted() -> None:
    grid = Grid(count=1_000_000, width=1400, cell=120)
    visible = grid.between(100_000, 100_900)
    assert len(visible) <= 10 * grid.columns
    assert grid.rect(visible.start).top() <= 100_000 <= grid.rect(visible.start).bottom()
    assert grid.rect(visible.stop - 1).bottom() >= 100_900


def test_a_rubber_band_takes_what_it_touches() -> None:
    grid = Grid(count=20, width=700, cell=120)
    band = QRect(grid.rect(1).center(), grid.rect(8).center())
    assert [list(run) for run in grid.inside(band)] == [[1, 2, 3], [6, 7, 8]]
