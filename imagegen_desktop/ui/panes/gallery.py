"""The gallery pane: every image ever made, found as one types."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from PySide6.QtCore import QItemSelection, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QStackedLayout, QVBoxLayout, QWidget

from ...domain.image import GeneratedImage
from ...services.announce import ImagesChanged
from ...services.gallery import Gallery
from ..bridge import Bridge
from ..latest import Latest
from ..theme import Theme
from ..widgets.fields import Slider
from ..widgets.labels import Label
from ..widgets.search_edit import SearchEdit
from .gallery_items import RECORD, GalleryItems
from .gallery_menu import Deeds, build
from .gallery_view import LARGEST, SMALLEST, USUAL, GalleryView
from .thumbnails import Thumbnails

_TYPING_MS = 120


class GalleryPane(QWidget):
    """`image_selected` tells the current image, None for none; the wishes name images by ID."""

    image_selected = Signal(object)
    image_clicked = Signal(object)
    full_screen_requested = Signal()
    bin_requested = Signal(object)
    rating_requested = Signal(object, int)
    start_from_requested = Signal(object)
    use_requested = Signal(object)
    show_in_folder_requested = Signal(object)
    upscale_requested = Signal(object, float, str)
    compare_requested = Signal(object)
    decode_requested = Signal(object, str)

    def __init__(self, theme: Theme, bridge: Bridge, gallery: Gallery) -> None:
        super().__init__()
        self._bridge = bridge
        self._gallery = gallery
        self._found = Latest(bridge)
        self._items = GalleryItems(bridge, gallery.rows, gallery.file, self)
        self._thumbnails = Thumbnails(bridge, gallery.thumbnail)
        self.view = GalleryView(self._items, self._thumbnails, theme)
        self._search = SearchEdit()
        self._count = Label("", "small")
        self._nothing = Label("", "muted")
        self._upscalers: list[str] = []
        self._autoencoders: list[str] = []
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self.refresh)
        self._stack = QStackedLayout()
        self.header = QWidget()
        self._arrange()
        self._connect()

    def refresh(self) -> None:
        """Asks for the images that match what is being searched."""
        query = self._search.text().strip()
        self._found.ask(lambda: self._gallery.numbers(query), lambda numbers: self._show(query, numbers))

    def show_change(self, change: ImagesChanged) -> None:
        if change.changed or not (change.added or change.removed):
            self._items.forget(change.changed)
        if not change.changed:
            self.refresh()
        else:
            self._tell_current()

    def show_upscalers(self, names: list[str]) -> None:
        """Who can make pictures larger, for the menu."""
        self._upscalers = names

    def show_autoencoders(self, names: list[str]) -> None:
        """What can decode pictures again beside their models' own, for the menu."""
        self._autoencoders = names

    def focus_search(self) -> None:
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def step(self, by: int) -> None:
        """Selects the next or the last image, as the full-screen preview does."""
        row = max(0, min(self._items.rowCount() - 1, self.view.currentIndex().row() + by))
        self.view.setCurrentIndex(self._items.index(row))

    def current(self) -> GeneratedImage | None:
        found = self.view.currentIndex().data(RECORD)
        return found if isinstance(found, GeneratedImage) else None

    def with_selected(self, deed: Callable[[list[GeneratedImage]], None]) -> None:
        """Calls `deed` with the records of the selected images."""
        numbers = [
            number
            for part in self.view.selectionModel().selection().toList()
            for number in self._items.numbers(range(part.top(), part.bottom() + 1))
        ]
        if numbers:
            self._bridge.ask(lambda: self._gallery.rows(numbers), deed)

    def _show(self, query: str, numbers: array[int]) -> None:
        if query != self._search.text().strip():
            return
        self._items.show_numbers(numbers)
        self._count.setText(self.tr("%n image(s)", "", len(numbers)))
        said = self.tr("Nothing found for “{0}”").format(query) if query else self.tr("Your pictures will be here.")
        self._nothing.setText(said)
        self._stack.setCurrentIndex(0 if len(numbers) else 1)

    def _tell_current(self, *_: QItemSelection) -> None:
        index = self.view.currentIndex()
        if not index.isValid():
            self.image_selected.emit(None)
            return
        number = self._items.number(index.row())
        self._items.fetch([number], lambda found: self._tell(number, found))

    def _tell(self, number: int, found: list[GeneratedImage]) -> None:
        """Unless another image has become current meanwhile."""
        index = self.view.currentIndex()
        if found and index.isValid() and self._items.number(index.row()) == number:
            self.image_selected.emit(found[0])

    def _tell_clicked(self, _: QModelIndex) -> None:
        image = self.current()
        if image is not None:
            self.image_clicked.emit(image)

    def _bin(self) -> None:
        self.with_selected(self.bin_requested.emit)

    def _rate(self, rating: int) -> None:
        self.with_selected(lambda images: self.rating_requested.emit(images, rating))

    def _menu(self, point: QPoint) -> None:
        image = self.current()
        if image is None:
            return
        chosen = self.with_selected
        deeds = Deeds(
            use=lambda: self.use_requested.emit(image),
            start_from=lambda: self.start_from_requested.emit(image),
            upscale=lambda factor, name: chosen(lambda images: self.upscale_requested.emit(images, factor, name)),
            decode=lambda name: chosen(lambda images: self.decode_requested.emit(images, name)),
            compare=lambda: chosen(self.compare_requested.emit),
            full_screen=self.full_screen_requested.emit,
            show_in_folder=lambda: self.show_in_folder_requested.emit(image),
            rate=self._rate,
            bin=self._bin,
        )
        count = len(self.view.selectionModel().selectedIndexes())
        menu = build(self, count, self._upscalers, self._autoencoders, deeds)
        menu.popup(self.view.viewport().mapToGlobal(point))

    def _connect(self) -> None:
        self._search.textChanged.connect(lambda _: self._typing.start())
        self._search.returnPressed.connect(self.view.setFocus)
        self.view.selectionModel().currentChanged.connect(self._tell_current)
        self.view.clicked.connect(self._tell_clicked)
        self.view.full_screen_requested.connect(self.full_screen_requested)
        self.view.doubleClicked.connect(lambda _: self.full_screen_requested.emit())
        self.view.bin_requested.connect(self._bin)
        self.view.rating_requested.connect(self._rate)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)

    def _cell_slider(self) -> QSlider:
        slider = Slider("cellSlider", SMALLEST, LARGEST)
        slider.setValue(USUAL)
        slider.setFixedWidth(112)
        slider.setAccessibleName(self.tr("Size of the thumbnails"))
        slider.setToolTip(slider.accessibleName())
        slider.valueChanged.connect(self.view.set_cell)
        return slider

    def _arrange(self) -> None:
        self._search.setObjectName("gallerySearchEdit")
        self._search.setAccessibleName(self.tr("Search the gallery"))
        self._search.setPlaceholderText(self.tr("Search words, style, model, seed…"))
        self._search.setMaximumWidth(360)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        line = QHBoxLayout(self.header)
        line.setContentsMargins(16, 0, 8, 0)
        line.setSpacing(12)
        line.addWidget(self._search, 1)
        line.addWidget(self._count)
        line.addStretch()
        line.addWidget(self._cell_slider())
        self._stack.addWidget(self.view)
        self._stack.addWidget(self._nothing)
        self._stack.setCurrentIndex(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._stack, 1)
