"""Keys: one row for each, to enter, test and remove. A stored key is never shown."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ..widgets.fields import Choice, captioned
from ..widgets.labels import ElidedLabel, Label, WrappedLabel
from ..widgets.message_bar import MessageBar


@dataclass(frozen=True, kw_only=True)
class KeyPlace:
    """A credential by name, and where its key is kept (empty: there is none)."""

    name: str
    title: str
    where: str
    can_be_tested: bool


class KeyRow(QFrame):
    """A password field and what can be done with it."""

    save_requested = Signal(str, str)
    remove_requested = Signal(str)
    test_requested = Signal(str, str)

    def __init__(self, place: KeyPlace) -> None:
        super().__init__()
        self.setObjectName("sheet")
        self._name = place.name
        self._title = place.title
        self._where = ElidedLabel("", "small")
        self._edit = QLineEdit()
        self._edit.setEchoMode(QLineEdit.EchoMode.Password)
        self._edit.setObjectName(f"{place.name}KeyEdit")
        self._edit.setAccessibleName(self.tr("Key for {0}").format(place.title))
        self._edit.setPlaceholderText(self.tr("Paste a key here"))
        self._save = self._button("Save", self.tr("Save"))
        self._test = self._button("Test", self.tr("Test this key"))
        self._remove = self._button("Remove", self.tr("Remove"))
        self._test.setVisible(place.can_be_tested)
        self.messages = MessageBar()
        self._kept = False
        self._arrange()
        self._edit.textChanged.connect(lambda _: self._update())
        self._edit.returnPressed.connect(self._save.click)
        self._save.clicked.connect(lambda: self.save_requested.emit(self._name, self._edit.text()))
        self._test.clicked.connect(lambda: self.test_requested.emit(self._name, self._edit.text()))
        self._remove.clicked.connect(lambda: self.remove_requested.emit(self._name))
        self.show_place(place)

    def show_place(self, place: KeyPlace) -> None:
        self._kept = bool(place.where)
        self._where.setText(
            self.tr("Kept in: {0}").format(self.tr(place.where)) if place.where else self.tr("No key yet")
        )
        self._update()

    def clear(self) -> None:
        """What was typed is kept elsewhere now."""
        self._edit.clear()

    def show_busy(self, busy: bool) -> None:
        """A test is under way."""
        self._test.setText(self.tr("Testing…") if busy else self.tr("Test this key"))
        self._update()
        self._test.setEnabled(not busy and self._test.isEnabled())

    def _update(self) -> None:
        typed = bool(self._edit.text().strip())
        self._save.setEnabled(typed)
        self._test.setEnabled(typed or self._kept)
        self._remove.setEnabled(self._kept)

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"{self._name}Key{name}Button")
        button.setAccessibleName(f"{text}: {self._title}")
        button.setAutoDefault(False)
        return button

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(Label(self._title))
        head.addWidget(self._where, 1)
        head.setSpacing(16)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._edit, 1)
        for button in (self._save, self._test, self._remove):
            line.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(line)
        column.addWidget(self.messages)


class KeysPage(QWidget):
    """Where keys are kept, and a row for each of them."""

    save_requested = Signal(str, str)
    remove_requested = Signal(str)
    test_requested = Signal(str, str)
    unlock_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, KeyRow] = {}
        self._store = Choice("keyStoreCombo")
        self._passphrase = QLineEdit()
        self._passphrase.setObjectName("keyPassphraseEdit")
        self._passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self._unlock = QPushButton(self.tr("Unlock"))
        self._unlock.setObjectName("unlockKeysButton")
        self._unlock.setAccessibleName(self.tr("Unlock the file with your keys"))
        self._unlock.setAutoDefault(False)
        self._lock_row = QWidget()
        self._list = QVBoxLayout()
        self.messages = MessageBar()
        self._arrange()
        self._store.currentIndexChanged.connect(lambda _: self._show_lock())
        self._unlock.clicked.connect(self.unlock_requested)

    def show_places(self, store: str, places: list[KeyPlace], in_file: bool) -> None:
        """`store` is where a new key would be kept; `in_file` whether some are in the locked file already."""
        if not self._rows:
            title = self.tr(store)
            self._store.addItem(title[:1].upper() + title[1:], False)
            self._store.addItem(self.tr("A file locked with a passphrase"), True)
            self._store.setCurrentIndex(int(in_file))
            self._show_lock()
        self._unlock.setVisible(in_file)
        for place in places:
            if place.name in self._rows:
                self._rows[place.name].show_place(place)
            else:
                self._rows[place.name] = self._made(place)

    def row(self, name: str) -> KeyRow:
        return self._rows[name]

    def passphrase(self) -> str:
        return self._passphrase.text()

    def wants_file(self) -> bool:
        """The artist's explicit choice."""
        return bool(self._store.currentData())

    def _made(self, place: KeyPlace) -> KeyRow:
        row = KeyRow(place)
        row.save_requested.connect(self.save_requested)
        row.remove_requested.connect(self.remove_requested)
        row.test_requested.connect(self.test_requested)
        self._list.addWidget(row)
        return row

    def _show_lock(self) -> None:
        self._lock_row.setVisible(self.wants_file())

    def _arrange(self) -> None:
        body = QWidget()
        body.setObjectName("paneBody")
        lock = QHBoxLayout(self._lock_row)
        lock.setContentsMargins(0, 0, 0, 0)
        lock.addWidget(self._passphrase, 1)
        lock.addWidget(self._unlock)
        self._passphrase.setPlaceholderText(self.tr("Passphrase"))
        self._passphrase.setAccessibleName(self.tr("Passphrase of the file with your keys"))
        self._list.setSpacing(8)
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(12)
        said = self.tr("A key lets a provider draw at your expense. It never leaves this machine but to its provider.")
        column.addWidget(WrappedLabel(said, "muted"))
        column.addWidget(captioned(self.tr("New keys are kept in"), self._store))
        column.addWidget(self._lock_row)
        column.addWidget(self.messages)
        column.addLayout(self._list)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
