"""Every text is there in German too, and the numbers' forms in both languages."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from imagegen_desktop import paths
from imagegen_desktop.ui.languages import JsonTranslator, deed_in_our_words, in_our_words, sentences, texts
from imagegen_desktop.ui.widgets.amounts import duration, number
from tests.ui.texts import PASSED_ON, all_texts, given, in_services

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


def test_german_speaks_with_one_voice() -> None:
    """The artist is a friend, what follows is said after a space, and one thing has one name."""
    said = [form for name in ("de", "de-services") for form in texts(FOLDER, name).values()]
    forms = [each for form in said for each in (form if isinstance(form, list) else [form])]
    assert [form for form in forms if re.search(r"\b(Ihre?[nmrs]?|\w+en Sie)\b", form)] == []
    assert [form for form in forms if re.search(r"[^\s(]…$", form)] == []
    assert [form for form in forms if re.search(r"\bComputer|\bSeeds?\b|entschlüssel", form)] == []


def test_what_can_be_undone_is_named_in_the_language_of_the_window(qapp: QApplication) -> None:
    assert deed_in_our_words("Delete 3 images") == "Delete 3 images"
    translator = JsonTranslator(texts(FOLDER, "de"), qapp, sentences(FOLDER, "de"))
    qapp.installTranslator(translator)
    try:
        assert deed_in_our_words("Delete 3 images") == "3 Bilder löschen"
        assert deed_in_our_words("Maske malen") == "Maske malen"
        assert in_our_words("Remove me") == "Remove me"
    finally:
        qapp.removeTranslator(translator)


def test_tr_finds_the_form_of_the_number(qapp: QApplication) -> None:
    translator = JsonTranslator(texts(FOLDER, "de"), qapp)
    qapp.installTranslator(translator)
    try:
        assert qapp.translate("Any", "%n image(s)", None, 1) == "1 Bild"
        assert qapp.translate("Any", "%n image(s)", None, 3) == "3 Bilder"
        assert qapp.translate("Any", "Retry") == "Noch einmal"
    finally:
        qapp.removeTranslator(translator)


def test_every_sentence_for_the_artist_can_be_collected() -> None:
    assert (
        sorted(expression for expression, forms in given().items() if not forms and expression not in PASSED_ON) == []
    )


def test_german_has_every_sentence_of_the_services_and_none_that_nobody_says() -> None:
    german = texts(FOLDER, "de-services")
    assert sorted(in_services() - set(german)) == []
    assert sorted(set(german) - in_services()) == []
    for english, form in german.items():
        assert isinstance(form, str)
        assert set(re.findall(r"\{\d\}", form)) == set(re.findall(r"\{\d\}", english)), english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Retry it.", "Noch einmal versuchen."),
        (
            "OpenAI waits: The OpenAI account has no credit left.",
            "OpenAI wartet: Das Konto bei OpenAI hat kein Guthaben mehr.",
        ),
        (
            "OpenAI refused this prompt: It says {0} and 100 %. (request req_1)",
            "OpenAI hat diesen Prompt abgelehnt: It says {0} and 100 %. (Anfrage req_1)",
        ),
        (
            "The library was damaged and has been put right: 1204 pictures from the backup of 2026-11-20, "
            "1 picture from their files.",
            "Die Bibliothek war beschädigt und ist wieder in Ordnung: 1204 Bilder aus der Sicherung vom 2026-11-20, "
            "1 Bild aus ihren Dateien.",
        ),
        ("size 512 × 512 snapped to 816 × 816", "Größe 512 × 512 auf 816 × 816 gebracht"),
        ("seed left out: GPT Image 2 has none", "Startwert weggelassen: GPT Image 2 kennt das nicht"),
        ("number of steps 30 became 4", "Schrittzahl 30 wurde zu 4"),
        (
            "model: 'ink.safetensors' is not possible; ink.safetensors is cut off.",
            "Modell: 'ink.safetensors' ist nicht möglich; ink.safetensors ist abgeschnitten.",
        ),
        ("Job 7f is already cancelled.", "Auftrag 7f ist schon abgebrochen."),
        ("Nobody wrote this sentence.", "Nobody wrote this sentence."),
        ("ink: " * 500, "ink: " * 500),
        ("", ""),
    ],
)
def test_sentences_of_services_are_recognised_with_their_values(qapp: QApplication, english: str, german: str) -> None:
    assert in_our_words(english) == english
    translator = JsonTranslator(texts(FOLDER, "de"), qapp, sentences(FOLDER, "de"))
    qapp.installTranslator(translator)
    try:
        assert in_our_words(english) == german
    finally:
        qapp.removeTranslator(translator)


def test_numbers_have_the_decimal_point_of_the_language() -> None:
    before = QLocale()
    try:
        QLocale.setDefault(QLocale(QLocale.Language.German))
        assert [number(0.8, 2), number(1.5), number(4.0), duration(1.25)] == ["0,80", "1,5", "4", "1,2 s"]
    finally:
        QLocale.setDefault(before)
