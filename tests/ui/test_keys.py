"""The page about keys: entered, tested, removed, locked in a file by choice, and never shown."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit

from imagegen_desktop.providers.base import Provider
from tests.ui.conftest import Studio
from tests.ui.scripted import ScriptedProvider
from tests.ui.scripted_cloud import ScriptedCloud


@pytest.fixture
def makers(provider: ScriptedProvider) -> dict[str, Provider]:
    return {"local": provider, "openai": ScriptedCloud()}


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keyring and no keys in the environment."""
    monkeypatch.setattr("imagegen_desktop.credentials.TRUSTED", ())
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def page(studio: Studio) -> Studio:
    studio.window.actions_["keys"].trigger()
    studio.until(lambda: studio.window.findChild(QLineEdit, "openaiKeyEdit") is not None)
    return studio


def press(studio: Studio, name: str) -> None:
    studio.qtbot.mouseClick(studio.find(QAbstractButton, name), Qt.MouseButton.LeftButton)


def says(studio: Studio, words: str) -> bool:
    return any(words in label.text() for label in studio.window.findChildren(QLabel))


def test_a_key_is_kept_for_the_session_and_its_field_emptied(page: Studio) -> None:
    field = page.find(QLineEdit, "openaiKeyEdit")
    assert field.echoMode() == QLineEdit.EchoMode.Password
    field.setText("sk-good")
    press(page, "openaiKeySaveButton")
    page.until(lambda: says(page, "Kept in: this session only"))
    assert field.text() == ""
    assert page.parts.keys.get("openai") == "sk-good"
    press(page, "openaiKeyRemoveButton")
    page.until(lambda: not page.parts.keys.where("openai"))


def test_a_key_is_tested_before_it_is_kept(page: Studio) -> None:
    field = page.find(QLineEdit, "openaiKeyEdit")
    field.setText("sk-bad")
    press(page, "openaiKeyTestButton")
    page.until(lambda: says(page, "The key is not taken."))
    field.setText("sk-good")
    press(page, "openaiKeyTestButton")
    page.until(lambda: says(page, "The key works."))
    assert not page.parts.keys.where("openai")


def test_a_file_is_used_by_explicit_choice_only(page: Studio) -> None:
    page.find(QComboBox, "keyStoreCombo").setCurrentIndex(1)
    page.find(QLineEdit, "openaiKeyEdit").setText("sk-good")
    press(page, "openaiKeySaveButton")
    page.until(lambda: says(page, "The file with your keys is locked."))
    page.find(QLineEdit, "keyPassphraseEdit").setText("open sesame")
    press(page, "openaiKeySaveButton")
    page.until(lambda: says(page, "Kept in: the file locked with a passphrase"))
    content = page.parts.home.root.joinpath("keys.locked").read_text(encoding="utf-8")
    assert "sk-good" not in content
    assert list(json.loads(content)["keys"]) == ["openai"]


def test_what_cannot_be_a_key_is_said_without_repeating_it(page: Studio) -> None:
    page.find(QLineEdit, "openaiKeyEdit").setText("not a key")
    press(page, "openaiKeySaveButton")
    page.until(lambda: says(page, "what was entered"))
    assert not says(page, "not a key")
