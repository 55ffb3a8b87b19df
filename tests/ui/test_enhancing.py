"""A better prompt: streamed, its difference seen, taken by one step of undo, edited or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QPlainTextEdit

from imagegen_desktop.services.assemble import Parts
from imagegen_desktop.services.enhance import Enhancer
from tests.ui.conftest import Parted, Studio
from tests.ui.scripted_cloud import ScriptedWriter


@pytest.fixture
def writer() -> ScriptedWriter:
    return ScriptedWriter("calm hills", " <b>at dawn</b>")


@pytest.fixture
def furnished(writer: ScriptedWriter) -> Parted:
    def furnish(parts: Parts) -> Parts:
        enhancer = Enhancer(writer, parts.settings, parts.styles, parts.models, parts.providers, parts.ledger)
        return replace(parts, enhancer=enhancer)

    return furnish


def ask(studio: Studio, words: str) -> QPlainTextEdit:
    """Asks for better words; the field in which they appear."""
    studio.find(QPlainTextEdit, "promptEdit").setPlainText(words)
    press(studio, "enhanceButton")
    return studio.find(QPlainTextEdit, "suggestionText")


def press(studio: Studio, name: str) -> None:
    studio.qtbot.mouseClick(studio.find(QAbstractButton, name), Qt.MouseButton.LeftButton)


def card(studio: Studio) -> str:
    labels = studio.window.panes.prompt.suggestion.findChildren(QLabel)
    return " ".join(label.text() for label in labels if not label.isHidden())


def formats(text: QPlainTextEdit) -> dict[str, tuple[bool, bool]]:
    """Of each run of the text: whether it is struck through, and whether it stands out."""
    runs, block = {}, text.document().begin()
    while block.isValid():
        iterator = block.begin()
        while not iterator.atEnd():
            fragment = iterator.fragment()
            shape = fragment.charFormat()
            runs[fragment.text().strip()] = (shape.fontStrikeOut(), shape.fontWeight() >= 600)
            iterator += 1
        block = block.next()
    return runs


def test_it_streams_and_shows_what_came_and_what_went(studio: Studio, writer: ScriptedWriter) -> None:
    text = ask(studio, "tall hills")
    assert not studio.find(QAbstractButton, "enhanceButton").isEnabled()
    writer.allow()
    studio.until(lambda: text.toPlainText() == "calm hills")
    writer.allow()
    studio.until(studio.find(QAbstractButton, "acceptSuggestionButton").isVisible)
    found = formats(text)
    assert found["tall"] == (True, False)
    assert found["calm"] == (False, True)
    assert found["hills"] == (False, False)
    assert any("<b>at" in run for run in found)
    assert "Written by gpt-6-luna at OpenAI." in card(studio)


def test_accepting_is_one_step_of_undo(studio: Studio, writer: ScriptedWriter) -> None:
    writer.allow(2)
    ask(studio, "tall hills")
    accept = studio.find(QAbstractButton, "acceptSuggestionButton")
    studio.until(accept.isVisible)
    studio.qtbot.keyClick(accept, Qt.Key.Key_Space)
    prompt = studio.find(QPlainTextEdit, "promptEdit")
    assert prompt.toPlainText() == "calm hills <b>at dawn</b>"
    assert studio.window.panes.prompt.suggestion.isHidden()
    studio.qtbot.keyClick(prompt, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert prompt.toPlainText() == "tall hills"


def test_it_can_be_edited_before_it_is_taken(studio: Studio, writer: ScriptedWriter) -> None:
    writer.allow(2)
    text = ask(studio, "tall hills")
    studio.until(studio.find(QAbstractButton, "editSuggestionButton").isVisible)
    press(studio, "editSuggestionButton")
    assert text.toPlainText() == "calm hills <b>at dawn</b>"
    text.setPlainText("calm hills")
    press(studio, "acceptSuggestionButton")
    assert studio.find(QPlainTextEdit, "promptEdit").toPlainText() == "calm hills"


def test_escape_stops_the_writing_and_leaves_the_words(studio: Studio, writer: ScriptedWriter) -> None:
    text = ask(studio, "tall hills")
    writer.allow()
    studio.until(lambda: bool(text.toPlainText()))
    studio.qtbot.keyClick(text, Qt.Key.Key_Escape)
    assert studio.window.panes.prompt.suggestion.isHidden()
    assert studio.find(QPlainTextEdit, "promptEdit").toPlainText() == "tall hills"
    assert studio.find(QAbstractButton, "enhanceButton").isEnabled()


class TestWithoutAKey:
    @pytest.fixture
    def writer(self) -> ScriptedWriter:
        return ScriptedWriter()

    def test_the_rules_built_in_help_and_say_so(self, studio: Studio) -> None:
        ask(studio, "ein Haus am See")
        studio.until(studio.find(QAbstractButton, "rejectSuggestionButton").isVisible)
        studio.until(lambda: "built-in rules" in card(studio))
        press(studio, "rejectSuggestionButton")
        assert studio.find(QPlainTextEdit, "promptEdit").toPlainText() == "ein Haus am See"
