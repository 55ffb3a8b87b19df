"""Keeping keys: what the settings' page about keys shows and wishes, done in the pool."""

from __future__ import annotations

from PySide6.QtCore import QObject

from ..domain.errors import Problem
from ..providers.base import Reachable
from ..services.assemble import Parts
from .bridge import Bridge
from .dialogs.keys_page import KeyPlace, KeysPage

_Found = tuple[str, list[KeyPlace], bool]


class Keeping(QObject):
    """Lives as long as its page."""

    def __init__(self, page: KeysPage, parts: Parts, bridge: Bridge) -> None:
        super().__init__(page)
        self._page = page
        self._parts = parts
        self._bridge = bridge
        self._titles = self._credentials()
        self._open = True
        page.save_requested.connect(self._save)
        page.remove_requested.connect(self._remove)
        page.test_requested.connect(self._test)
        page.unlock_requested.connect(self._unlock)

    def close(self) -> None:
        """The page is going: what is still under way has nobody to tell."""
        self._open = False

    def load(self) -> None:
        self._bridge.ask(self._places, self._show, self._say)

    def _credentials(self) -> dict[str, str]:
        """Titles by the name of the credential."""
        found = {}
        for provider in self._parts.providers.values():
            capabilities = provider.capabilities()
            if capabilities.key:
                found[capabilities.key] = self.tr(capabilities.title)
        return found | {"writer": self.tr("Language model of your own"), "huggingface": "Hugging Face"}

    def _places(self) -> _Found:
        keys, providers = self._parts.keys, self._parts.providers
        places = [
            KeyPlace(
                name=name, title=title, where=keys.where(name), can_be_tested=isinstance(providers.get(name), Reachable)
            )
            for name, title in self._titles.items()
        ]
        return keys.store_title(), places, any("passphrase" in place.where for place in places)

    def _show(self, found: _Found) -> None:
        if self._open:
            self._page.show_places(*found)

    def _save(self, name: str, value: str) -> None:
        in_file = self._page.wants_file()
        self._take_passphrase()
        self._bridge.ask(
            lambda: self._parts.desk.set_key(name, value, in_file),
            lambda where: self._saved(name),
            lambda problem: self._refuse(name, problem),
        )

    def _saved(self, name: str) -> None:
        if self._open:
            self._page.row(name).clear()
            self._page.row(name).messages.show_message("info", self.tr("The key is kept."), passing=True)
            self.load()

    def _remove(self, name: str) -> None:
        self._bridge.ask(
            lambda: self._parts.desk.remove_key(name),
            lambda _: self.load(),
            lambda problem: self._refuse(name, problem),
        )

    def _test(self, name: str, typed: str) -> None:
        row = self._page.row(name)
        row.messages.clear()
        row.show_busy(True)
        self._take_passphrase()
        key = typed.strip() or None
        self._bridge.ask(
            lambda: self._parts.desk.check(name, key),
            lambda answer: self._answered(name, answer),
            lambda problem: self._refuse(name, problem),
        )

    def _answered(self, name: str, answer: str) -> None:
        if self._open:
            self._page.row(name).show_busy(False)
            self._page.row(name).messages.show_message("info", answer)

    def _refuse(self, name: str, problem: Problem) -> None:
        if self._open:
            self._page.row(name).show_busy(False)
            self._page.row(name).messages.show_message("error", problem.message, problem.advice)

    def _unlock(self) -> None:
        """Opens the file once, so that its keys are known for this session."""
        self._take_passphrase()
        keys, holds = self._parts.keys, self._parts.holds

        def unlock() -> None:
            for name in [name for name in self._titles if "passphrase" in keys.where(name)]:
                keys.get(name)
                holds.release(name)

        self._bridge.ask(unlock, lambda _: self._unlocked(), self._say)

    def _unlocked(self) -> None:
        if self._open:
            self._page.messages.show_message("info", self.tr("The keys are unlocked for this session."))
            self.load()

    def _say(self, problem: Problem) -> None:
        if self._open:
            self._page.messages.show_message("error", problem.message, problem.advice)

    def _take_passphrase(self) -> None:
        """From now on the file is opened with what was typed."""
        passphrase = self._page.passphrase()
        if passphrase:
            self._parts.keys.ask_passphrase = lambda: passphrase
