"""The main window: where the panes stand, the menus, and remembering the layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QMenu

from ..formats.kinds import looks_like_weights
from .actions import Actions
from .icons import dress, icon
from .panes.top_bar import TopBar
from .theme import Theme
from .widgets.dock import Dock

if TYPE_CHECKING:
    from .canvas.stage import Stage
    from .panes.details import DetailsPane
    from .panes.gallery import GalleryPane
    from .panes.prompt import PromptPane
    from .panes.queue import QueuePane

_WIDTH, _HEIGHT = 1440, 900
#: Written into a saved layout; a layout of another version is not restored.
_LAYOUT = 1


@dataclass(frozen=True, kw_only=True)
class Panes:
    prompt: PromptPane
    stage: Stage
    queue: QueuePane
    details: DetailsPane
    gallery: GalleryPane


class MainWindow(QMainWindow):
    """`closing` is told once the window is gone from the screen and before it is destroyed."""

    closing = Signal()
    model_dropped = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("ImageGen Desktop")
        self.setMinimumSize(1024, 640)
        self.setAcceptDrops(True)
        self._theme = theme
        self._docks: list[Dock] = []
        self._docks_menu = QMenu(self.tr("Panes"), self)
        self.actions_ = Actions(self)
        self.top_bar = TopBar(theme, self.actions_)
        self._closed = False
        self._fill_menus()
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.top_bar)
        theme.changed.connect(self._dress)

    def place(self, panes: Panes) -> None:
        """Puts the panes where a new artist finds them."""
        self.panes = panes
        area = Qt.DockWidgetArea
        self._docks = [
            Dock("promptDock", self.tr("Prompt"), panes.prompt),
            Dock("queueDock", self.tr("Queue"), panes.queue, panes.queue.header),
            Dock("detailsDock", self.tr("Details"), panes.details),
            Dock("galleryDock", self.tr("Gallery"), panes.gallery, panes.gallery.header),
        ]
        areas = (
            area.LeftDockWidgetArea,
            area.RightDockWidgetArea,
            area.RightDockWidgetArea,
            area.BottomDockWidgetArea,
        )
        self.addDockWidget(areas[0], self._docks[0])  # before the canvas, as the keyboard goes from pane to pane
        self.setCentralWidget(panes.stage)
        panes.stage.show()  # in a window on screen the layout overlooks it until then, and the docks take its place
        for dock, where in zip(self._docks, areas, strict=True):
            self.addDockWidget(where, dock)
            self._docks_menu.addAction(dock.toggleViewAction())
        self.reset_layout()
        self._dress()

    def reset_layout(self) -> None:
        area = Qt.DockWidgetArea
        prompt, queue, details, gallery = self._docks
        self.setCorner(Qt.Corner.BottomLeftCorner, area.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, area.BottomDockWidgetArea)
        for dock, where in (
            (prompt, area.LeftDockWidgetArea),
            (queue, area.RightDockWidgetArea),
            (details, area.RightDockWidgetArea),
            (gallery, area.BottomDockWidgetArea),
        ):
            dock.setFloating(False)
            self.addDockWidget(where, dock)
            dock.show()
        self.splitDockWidget(queue, details, Qt.Orientation.Vertical)
        share = max(0.0, min(1.0, (self.width() - self.minimumWidth()) / (_WIDTH - self.minimumWidth())))
        sides = [round(288 + 48 * share), round(264 + 48 * share)]
        self.resizeDocks([prompt, queue], sides, Qt.Orientation.Horizontal)
        self.resizeDocks([gallery], [round(180 + 16 * share)], Qt.Orientation.Vertical)
        self.resizeDocks([queue, details], [260, 340], Qt.Orientation.Vertical)

    def restore_geometry(self, geometry: QByteArray) -> None:
        """Where the window was, before it has any panes; the usual place when nothing is remembered."""
        if not self.restoreGeometry(geometry):
            self.resize(_WIDTH, _HEIGHT)
            screen = self.screen().availableGeometry()
            self.resize(self.size().boundedTo(screen.size()))

    def restore(self, geometry: QByteArray, state: QByteArray) -> None:
        """A remembered layout; the usual one when there is none. A window on screen stays where it is."""
        if not self.isVisible():
            self.restore_geometry(geometry)
        if not self.restoreState(state, _LAYOUT):
            self.reset_layout()

    def layout_state(self) -> tuple[QByteArray, QByteArray]:
        return self.saveGeometry(), self.saveState(_LAYOUT)

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        if not self._closed:
            self._closed = True
            self.hide()
            self.closing.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _model_in(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        found = _model_in(event)
        if found is not None:
            event.acceptProposedAction()
            self.model_dropped.emit(found)

    def _dress(self) -> None:
        dress(self, self._theme.tokens)
        self.setWindowIcon(icon("app", self._theme.tokens.accent))

    def _fill_menus(self) -> None:
        titles = {
            "file": self.tr("&File"),
            "edit": self.tr("&Edit"),
            "view": self.tr("&View"),
            "help": self.tr("&Help"),
        }
        for name, title in titles.items():
            menu = self.menuBar().addMenu(title)
            for entry in self.actions_.entries(name):
                if entry.separated:
                    menu.addSeparator()
                menu.addAction(self.actions_[entry.name])
            if name == "view":
                menu.addMenu(self._docks_menu)


def _model_in(event: QDropEvent) -> Path | None:
    """A folder or a checkpoint file among what is dragged."""
    for url in event.mimeData().urls():
        path = Path(url.toLocalFile())
        if url.isLocalFile() and (path.is_dir() or looks_like_weights(path.name)):
            return path
    return None
