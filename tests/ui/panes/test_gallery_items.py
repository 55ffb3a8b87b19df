"""The gallery's rows change only where they differ, so that selection and place stay."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import pytest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from imagegen_desktop.services.announce import Announcer
from imagegen_desktop.ui.bridge import Bridge
from imagegen_desktop.ui.panes.gallery_items import NUMBER, GalleryItems


@pytest.fixture
def items(qtbot: QtBot) -> Iterator[GalleryItems]:
    bridge = Bridge(Announcer())
    yield GalleryItems(bridge, lambda numbers: [], lambda image: "", bridge)
    assert bridge.close()


def numbers_of(items: GalleryItems) -> list[int]:
    return [items.index(row).data(NUMBER) for row in range(items.rowCount())]


@pytest.mark.parametrize(
    ("before", "after", "inserted", "removed"),
    [
        ([], [3, 2, 1], (0, 2), None),
        ([3, 2, 1], [4, 3, 2, 1], (0, 0), None),
        ([5, 4, 3, 2, 1], [5, 2, 1], None, (1, 2)),
        ([5, 4, 3, 2, 1], [5, 4, 3, 2], None, (4, 4)),
        ([5, 3, 1], [5, 4, 3, 1], (1, 1), None),
        ([5, 4, 3], [9, 8], (0, 1), (0, 2)),
        ([2, 1], [2, 1], None, None),
    ],
)
def test_only_the_difference_is_told(
    items: GalleryItems,
    before: list[int],
    after: list[int],
    inserted: tuple[int, int] | None,
    removed: tuple[int, int] | None,
    qtmodeltester: ModelTester,
) -> None:
    qtmodeltester.check(items)
    items.show_numbers(array("q", before))
    told: dict[str, tuple[int, int]] = {}
    items.rowsInserted.connect(lambda _, first, last: told.update(inserted=(first, last)))
    items.rowsRemoved.connect(lambda _, first, last: told.update(removed=(first, last)))
    items.show_numbers(array("q", after))
    assert numbers_of(items) == after
    assert told.get("inserted") == inserted
    assert told.get("removed") == removed


def test_a_number_is_found_in_a_long_list(items: GalleryItems) -> None:
    items.show_numbers(array("q", range(1_000_000, 0, -1)))
    assert items.row_of(1_000_000) == 0
    assert items.row_of(1) == 999_999
    assert items.row_of(0) == -1
    assert items.rowCount() == 1_000_000
