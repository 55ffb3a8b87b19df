"""Every text is there in German too, and the numbers' forms in both languages."""

from __future__ import annotations

import re

import pytest
from PySide6.QtWidgets import QApplication

from imagegen_desktop import paths
from imagegen_desktop.ui.languages import JsonTranslator, texts
from tests.ui.texts import all_texts

FOLDER = paths.resources() / "lang"


def test_german_is_complete() -> None:
    assert sorted(all_texts() - set(texts(FOLDER, "de"))) == []


def test_german_has_nothing_that_nobody_says() -> None:
    assert sorted(set(texts(FOLDER, "de")) - all_texts()) == []


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_is_counted_has_two_forms(language: str) -> None:
    found = texts(FOLDER, language)
    for text in (text for text in all_texts() if "%n" in text):
        assert isinstance(found[text], list)
        assert len(found[text]) == 2


def test_german_has_the_same_places_for_values() -> None:
    for english, german in texts(FOLDER, "de").items():
        for form in german if isinstance(german, list) else [german]:
            assert set(re.findall(r"\{\d\}|%n", form)) == set(re.findall(r"\{\d\}|%n", english)), english


def test_tr_finds_the_form_of_the_number(qapp: QApplication) -> None:
    translator = JsonTranslator(texts(FOLDER, "de"), qapp)
    qapp.installTranslator(translator)
    try:
        assert qapp.translate("Any", "%n image(s)", None, 1) == "1 Bild"
        assert qapp.translate("Any", "%n image(s)", None, 3) == "3 Bilder"
        assert qapp.translate("Any", "Retry") == "Noch einmal"
    finally:
        qapp.removeTranslator(translator)
