"""Thumbnails: what the gallery shows now is fetched first, and only so much memory is kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from ..bridge import Bridge
from ..pictures import decoded

Fetch = Callable[[int], bytes | None]
_BATCH = 12
_BYTES = 192 * 2**20


class Thumbnails(QObject):
    """`pixmap` answers at once with what is there; `want` says what is visible, the most wanted first.

    What was wanted and has scrolled away is never fetched: each batch is chosen when it begins.
    """

    arrived = Signal(int)

    def __init__(self, bridge: Bridge, fetch: Fetch) -> None:
        super().__init__(bridge)
        self._bridge = bridge
        self._fetch = fetch
        self._kept: OrderedDict[int, QPixmap] = OrderedDict()
        self._bytes = 0
        self._wanted: Sequence[int] = ()
        self._busy = False

    def pixmap(self, number: int) -> QPixmap | None:
        """The thumbnail of an image by its number; a null pixmap when it has none, None when it is not here yet."""
        found = self._kept.get(number)
        if found is not None:
            self._kept.move_to_end(number)
        return found

    def want(self, numbers: Sequence[int]) -> None:
        self._wanted = numbers
        self._next()

    def forget(self, numbers: Sequence[int] = ()) -> None:
        """Drops some thumbnails, or all of them."""
        for number in list(numbers) or list(self._kept):
            gone = self._kept.pop(number, None)
            if gone is not None:
                self._bytes -= _size(gone)

    def _next(self) -> None:
        if self._busy:
            return
        batch = [number for number in self._wanted if number not in self._kept][:_BATCH]
        if batch:
            self._busy = True
            self._bridge.ask(lambda: self._read(batch), self._keep, lambda problem: self._keep(_nothing(batch)))

    def _read(self, numbers: Sequence[int]) -> list[tuple[int, QImage]]:
        """On a pool thread."""
        found = []
        for number in numbers:
            data = self._fetch(number)
            found.append((number, decoded(data) if data else QImage()))
        return found

    def _keep(self, found: Sequence[tuple[int, QImage]]) -> None:
        self._busy = False
        for number, image in found:
            pixmap = QPixmap.fromImage(image)
            self._kept[number] = pixmap
            self._bytes += _size(pixmap)
            self.arrived.emit(number)
        while self._bytes > _BYTES and len(self._kept) > _BATCH:
            self._bytes -= _size(self._kept.popitem(last=False)[1])
        self._next()


def _size(pixmap: QPixmap) -> int:
    return 4 * pixmap.width() * pixmap.height()


def _nothing(numbers: Sequence[int]) -> list[tuple[int, QImage]]:
    return [(number, QImage()) for number in numbers]
