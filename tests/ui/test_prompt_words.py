"""The prompt pane knows the language of prompts: length, weights by key, quiet marks, and the finer settings."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLabel, QLineEdit, QSpinBox, QToolButton

from imagegen_desktop import paths
from imagegen_desktop.ui.widgets.prompt_edit import PromptEdit

from .conftest import Opened, Studio


@pytest.fixture
def studio(open_studio: Opened) -> Studio:
    return open_studio()


def prompt_of(studio: Studio) -> PromptEdit:
    return studio.find(PromptEdit, "promptEdit")


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier])
def test_keys_change_the_weight_at_the_cursor(studio: Studio, modifier: Qt.KeyboardModifier) -> None:
    prompt = prompt_of(studio)
    prompt.setPlainText("a 🦊 red cat")
    cursor = prompt.textCursor()
    cursor.setPosition(7)  # the fox counts twice for Qt
    prompt.setTextCursor(cursor)
    QTest.keyClick(prompt, Qt.Key.Key_Up, modifier)
    QTest.keyClick(prompt, Qt.Key.Key_Up, modifier)
    assert prompt.toPlainText() == "a 🦊 (red:1.2) cat"
    assert prompt.textCursor().selectedText() == "red"
    QTest.keyClick(prompt, Qt.Key.Key_Down, modifier)
    assert prompt.toPlainText() == "a 🦊 (red:1.1) cat"
    prompt.undo()
    assert prompt.toPlainText() == "a 🦊 (red:1.2) cat"


def test_plain_arrows_move_the_cursor(studio: Studio) -> None:
    prompt = prompt_of(studio)
    prompt.setPlainText("one\ntwo")
    QTest.keyClick(prompt, Qt.Key.Key_Down)
    assert prompt.toPlainText() == "one\ntwo"
    assert prompt.textCursor().blockNumber() == 1


def test_what_will_not_be_understood_has_a_quiet_line(studio: Studio) -> None:
    prompt = prompt_of(studio)
    prompt.setPlainText("a (red cat in __nowhere__ <lora:none:1>")
    assert prompt.marked() == ["("]
    studio.until(lambda: prompt.marked() == ["(", "__nowhere__", "<lora:none"])
    (studio.parts.home.wildcards / "nowhere.txt").write_text("a garden\n")
    prompt.setPlainText("a (red) cat in __nowhere__")
    studio.until(lambda: prompt.marked() == [])


def test_the_length_is_counted_in_chunks(open_studio: Opened, studio: Studio) -> None:
    model = studio.parts.models.all()[0]
    shutil.copytree(paths.resources() / "models" / "starter" / "tokenizer", f"{model.path}/tokenizer")
    length, prompt = studio.find(QLabel, "promptLength"), prompt_of(studio)
    prompt.setPlainText("a red circle")
    studio.until(lambda: length.text() == "3 / 30")
    prompt.setPlainText("a (red:1.2) circle BREAK a blue square")
    studio.until(lambda: length.text() == "6 / 60")
    prompt.setPlainText("red " * 31)
    studio.until(lambda: length.text() == "31 / 60")
    prompt.setPlainText("")
    studio.until(lambda: length.text() == "")


def test_finer_settings_reach_the_request_and_come_back(studio: Studio) -> None:
    pane = studio.window.panes.prompt
    assert (pane.request().tiling, pane.request().clip_skip, pane.request().variation_strength) == (None, None, None)
    fold = studio.find(QToolButton, "finerButton")
    tiling = studio.find(QComboBox, "tilingCombo")
    assert not tiling.isVisibleTo(studio.window)
    fold.click()
    assert tiling.isVisibleTo(studio.window)
    tiling.setCurrentIndex(tiling.findData("both"))
    studio.find(QSpinBox, "clipSkipSpin").setValue(2)
    studio.find(QDoubleSpinBox, "variationStrengthSpin").setValue(0.25)
    studio.find(QLineEdit, "variationSeedEdit").setText("99")
    said = pane.request()
    assert (said.tiling, said.clip_skip, said.variation_strength, said.variation_seed) == ("both", 2, 0.25, 99)
    fold.click()
    pane.show_request(type(said)(prompt="plain"))
    assert pane.request().tiling is None
    pane.show_request(said)
    assert tiling.isVisibleTo(studio.window)
    again = pane.request()
    assert (again.tiling, again.clip_skip, again.variation_strength, again.variation_seed) == ("both", 2, 0.25, 99)
