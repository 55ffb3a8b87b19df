"""Windows on a real home with real services, and a provider whose steps the test decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from imagegen_desktop import paths
from imagegen_desktop.paths import Home
from imagegen_desktop.providers.base import Provider
from imagegen_desktop.services.announce import Announcement, Notice
from imagegen_desktop.services.assemble import Parts, assemble
from imagegen_desktop.ui.application import open_window
from imagegen_desktop.ui.main_window import MainWindow
from imagegen_desktop.ui.theme import Theme
from tests.ui.scripted import ScriptedProvider, paper_model


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme(qapp, paths.resources() / "theme")
    made.choose("dark")
    return made


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


W = TypeVar("W", bound=QWidget)


class Studio:
    """An open window and what stands behind it."""

    def __init__(self, window: MainWindow, parts: Parts, provider: ScriptedProvider, qtbot: QtBot) -> None:
        self.window = window
        self.parts = parts
        self.provider = provider
        self.qtbot = qtbot
        self.faults: list[str] = []
        parts.announce.subscribe(self._hear)

    def _hear(self, news: Announcement) -> None:
        if isinstance(news, Notice) and news.level == "error":
            self.faults.append(news.text)

    def find(self, kind: type[W], name: str) -> W:
        found = self.window.findChild(kind, name)
        assert found is not None, f"there is no {name}"
        return found

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=15_000)


Opened = Callable[[], Studio]
Parted = Callable[[Parts], Parts]


@pytest.fixture
def makers(provider: ScriptedProvider) -> dict[str, Provider]:
    """Who makes images in the window; a test module may bring others."""
    return {"local": provider}


@pytest.fixture
def furnished() -> Parted:
    """A last touch at the parts before the window is opened."""
    return lambda parts: parts


@pytest.fixture
def open_studio(
    home: Path, qtbot: QtBot, provider: ScriptedProvider, makers: dict[str, Provider], furnished: Parted
) -> Iterator[Opened]:
    """Opens a window on the test's home; all are closed at the end."""
    paper_model(home)
    opened: list[Studio] = []

    def open_one() -> Studio:
        parts = furnished(assemble(Home(home), providers=makers))
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        window = open_window(application, parts)
        studio = Studio(window, parts, provider, qtbot)
        opened.append(studio)
        studio.until(lambda: bool(window.top_bar.model()))
        return studio

    yield open_one
    provider.release()
    for studio in opened:
        studio.window.close()
        studio.window.deleteLater()
        assert studio.faults == []


@pytest.fixture
def studio(open_studio: Opened) -> Studio:
    return open_studio()
