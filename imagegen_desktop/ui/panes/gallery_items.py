"""The gallery's rows: numbers of images, newest first; their records come when they are looked at."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QObject, Qt, QUrl

from ...domain.image import GeneratedImage
from ..bridge import Bridge
from ..widgets.items import ROOT, Index

Rows = Callable[[Sequence[int]], list[GeneratedImage]]
FileOf = Callable[[GeneratedImage], Any]

NUMBER = Qt.ItemDataRole.UserRole
RECORD = Qt.ItemDataRole.UserRole + 1
_KEPT = 4000


class GalleryItems(QAbstractListModel):
    """UserRole is the image's number, UserRole + 1 its record once it is here, DisplayRole its prompt."""

    def __init__(self, bridge: Bridge, rows: Rows, file_of: FileOf, parent: QObject) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._rows = rows
        self._file_of = file_of
        self._numbers = array("q")
        self._records: dict[int, GeneratedImage] = {}

    def show_numbers(self, numbers: array[int]) -> None:
        """Replaces the rows, telling views only the part that differs, so that selection and place stay."""
        old = self._numbers
        head = _common(old, numbers)
        tail = _common(old[head:][::-1], numbers[head:][::-1])
        gone, come = len(old) - head - tail, len(numbers) - head - tail
        if gone:
            self.beginRemoveRows(ROOT, head, head + gone - 1)
            self._numbers = old[:head] + old[head + gone :]
            self.endRemoveRows()
        if come:
            self.beginInsertRows(ROOT, head, head + come - 1)
            self._numbers = numbers
            self.endInsertRows()

    def forget(self, ids: Sequence[str]) -> None:
        """These records have changed; without IDs any may have."""
        changed = set(ids)
        for number in [n for n, image in self._records.items() if not changed or image.id in changed]:
            del self._records[number]
        if self._numbers:
            self.dataChanged.emit(self.index(0), self.index(len(self._numbers) - 1))

    def number(self, row: int) -> int:
        return self._numbers[row]

    def numbers(self, rows: range) -> list[int]:
        return list(self._numbers[rows.start : rows.stop])

    def row_of(self, number: int) -> int:
        """The row of an image, -1 when it is not among those shown. Numbers fall from row to row."""
        low, high = 0, len(self._numbers)
        while low < high:
            middle = (low + high) // 2
            if self._numbers[middle] > number:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self._numbers) and self._numbers[low] == number else -1

    def fetch(self, numbers: Sequence[int], on_records: Callable[[list[GeneratedImage]], None] | None = None) -> None:
        """Gets records that are not here yet; `on_records` gets all that were asked for."""
        missing = [number for number in numbers if number not in self._records]
        if missing:
            self._bridge.ask(lambda: self._rows(missing), lambda found: self._keep(found, numbers, on_records))
        elif on_records is not None:
            on_records(self._here(numbers))

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self._numbers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._numbers):
            return None
        number = self._numbers[index.row()]
        if role == NUMBER:
            return number
        record = self._records.get(number)
        if role == RECORD:
            return record
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return record.request.prompt if record else ""
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags

    def mimeTypes(self) -> list[str]:
        return ["text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The files of these images, for any other program."""
        records = [self._records.get(self._numbers[index.row()]) for index in indexes]
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(self._file_of(record))) for record in records if record])
        return mime

    def _here(self, numbers: Sequence[int]) -> list[GeneratedImage]:
        return [self._records[number] for number in numbers if number in self._records]

    def _keep(
        self,
        found: list[GeneratedImage],
        numbers: Sequence[int],
        on_records: Callable[[list[GeneratedImage]], None] | None,
    ) -> None:
        if len(self._records) > _KEPT:
            self._records.clear()
        for image in found:
            self._records[image.number] = image
        if on_records is not None:
            on_records(self._here(numbers))


def _common(one: array[int], other: array[int]) -> int:
    """How many items the two begin with in common, found by comparing halves in C."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
