"""Every action of the window, declared once: menus, tool bar, shortcuts and command palette read it here."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow

from .icons import name_icon
from .languages import deed_in_our_words


@dataclass(frozen=True)
class Entry:
    """`menu` is file, edit, view or help; `keys` are shortcuts, the first one shown."""

    name: str
    menu: str
    text: str
    icon: str = ""
    keys: tuple[str, ...] = ()
    separated: bool = False


class Actions(QObject):
    """QActions by name; their object names end in Action."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._entries = self._file() + self._edit() + self._view() + self._help()
        self._actions = {entry.name: self._made(entry, window) for entry in self._entries}

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def entries(self, menu: str) -> list[Entry]:
        return [entry for entry in self._entries if entry.menu == menu]

    def all(self) -> list[QAction]:
        return list(self._actions.values())

    def show_undo(self, undo: str, redo: str) -> None:
        """Names what would be undone and redone; empty disables."""
        for name, what, form, plain in (
            ("undo", undo, self.tr("Undo: {0}"), self.tr("Undo")),
            ("redo", redo, self.tr("Redo: {0}"), self.tr("Redo")),
        ):
            self._actions[name].setText(form.format(deed_in_our_words(what)) if what else plain)
            self._actions[name].setEnabled(bool(what))

    def _made(self, entry: Entry, window: QMainWindow) -> QAction:
        action = QAction(entry.text, window)
        action.setObjectName(f"{entry.name}Action")
        action.setShortcuts([QKeySequence(keys) for keys in entry.keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        if entry.icon:
            name_icon(action, entry.icon)
        window.addAction(action)
        return action

    def _file(self) -> list[Entry]:
        return [
            Entry("generate", "file", self.tr("Generate"), "generate", ("Ctrl+Return", "Ctrl+Enter")),
            Entry("cancel", "file", self.tr("Cancel the picture being drawn"), "stop", ("Esc",)),
            Entry("generateNow", "file", self.tr("Generate now, before everything else"), "", ("Ctrl+Shift+Return",)),
            Entry("contactSheet", "file", self.tr("Contact sheet…"), "gallery", ("Ctrl+Shift+S",)),
            Entry("pauseQueue", "file", self.tr("Pause the queue"), "pause", ("Ctrl+P",)),
            Entry("openPicture", "file", self.tr("Start from a picture…"), "image", ("Ctrl+O",), separated=True),
            Entry("readSettings", "file", self.tr("Read settings from a picture…"), "upload"),
            Entry("models", "file", self.tr("Models…"), "model", ("Ctrl+M",), separated=True),
            Entry("settings", "file", self.tr("Settings…"), "settings", ("Ctrl+,",)),
            Entry("keys", "file", self.tr("Keys…"), "key"),
            Entry("quit", "file", self.tr("Quit"), "quit", ("Ctrl+Q",), separated=True),
        ]

    def _edit(self) -> list[Entry]:
        return [
            Entry("undo", "edit", self.tr("Undo"), "undo", ("Ctrl+Z",)),
            Entry("redo", "edit", self.tr("Redo"), "redo", ("Ctrl+Y", "Ctrl+Shift+Z")),
            Entry("search", "edit", self.tr("Search the gallery"), "search", ("Ctrl+F",), separated=True),
            Entry("editPrompt", "edit", self.tr("Go to the prompt"), "prompt", ("Ctrl+L",)),
            Entry("enhance", "edit", self.tr("Enhance the prompt"), "enhance", ("Ctrl+E",)),
            Entry("randomSeed", "edit", self.tr("Roll a new seed"), "dice", ("Ctrl+R",)),
            Entry("upscale2", "edit", self.tr("Upscale 2 times"), "upscale", ("Ctrl+U",), separated=True),
            Entry("upscale4", "edit", self.tr("Upscale 4 times"), "upscale", ("Ctrl+Shift+U",)),
        ]

    def _view(self) -> list[Entry]:
        return [
            Entry("palette", "view", self.tr("Command palette"), "command", ("Ctrl+K",)),
            Entry("fullScreen", "view", self.tr("Full screen"), "expand", ("F11",)),
            Entry("compare", "view", self.tr("Compare before and after"), "compare", ("Ctrl+D",)),
            Entry("fit", "view", self.tr("Fit to the window"), "fit", ("Ctrl+0",), separated=True),
            Entry("actualSize", "view", self.tr("Actual size"), "", ("Ctrl+1",)),
            Entry("zoomIn", "view", self.tr("Zoom in"), "zoom-in", ("Ctrl++", "Ctrl+=")),
            Entry("zoomOut", "view", self.tr("Zoom out"), "zoom-out", ("Ctrl+-",)),
            Entry("resetLayout", "view", self.tr("Reset layout"), "window", separated=True),
        ]

    def _help(self) -> list[Entry]:
        return [
            Entry("restartEngine", "help", self.tr("Restart the engine"), "retry"),
            Entry("unloadModel", "help", self.tr("Give the model’s memory back"), "chip"),
            Entry("openLogs", "help", self.tr("Show the logs"), "folder", separated=True),
            Entry("about", "help", self.tr("About ImageGen Desktop"), "info"),
        ]
