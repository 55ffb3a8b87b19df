"""Languages: texts from resources/lang, one JSON file a language, and Qt's own.

What services say is English and may hold values ("OpenAI waits: …"); `in_our_words` recognises such sentences by
their form, also those of a job that failed in an earlier run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

Texts = dict[str, str | list[str]]

_SERVICES = "services"
_DEED = "deed: "
_spoken: list[QTranslator] = []
_PLACE = re.compile(r"\{(\d)\}")
#: How often a sentence is looked for inside another one: no problem passes on more than two others.
_DEEPEST = 3


def in_our_words(text: str) -> str:
    """A sentence of services in the language of the window; unchanged when nobody translated it."""
    return QCoreApplication.translate(_SERVICES, text)


def deed_in_our_words(label: str) -> str:
    """What can be undone, as services name it. Such names are short: kept apart, no sentence is taken for one."""
    return in_our_words(_DEED + label).removeprefix(_DEED)


class Sentences:
    """Translations of whole sentences by their form: `{0}`, `{1}` … stand for values, which may be sentences too."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        self._forms = forms
        with_places = sorted((form for form in forms if "{0}" in form), key=_certainty, reverse=True)
        self._patterns = [(_pattern(form), forms[form]) for form in with_places]

    def translate(self, text: str) -> str:
        """The text itself when nobody translated it."""
        found = self._found(text, 0)
        return text if found is None else found

    def _found(self, text: str, depth: int) -> str | None:
        if text in self._forms:
            return self._forms[text]
        for pattern, translation in self._patterns if depth <= _DEEPEST else ():
            found = pattern.fullmatch(text)
            if found is not None:
                return translation.format(*(self._value(value, depth + 1) for value in found.groups()))
        return None

    def _value(self, text: str, depth: int) -> str:
        """A sentence inside another one may have lost its full stop."""
        found = self._found(text, depth)
        whole = self._found(f"{text}.", depth) if found is None else None
        return found or (text if whole is None else whole.removesuffix("."))


def _certainty(form: str) -> int:
    return len(_PLACE.sub("", form))


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile("(.*)".join(map(re.escape, _PLACE.split(form)[::2])), re.DOTALL)


class JsonTranslator(QTranslator):
    """A text by its English one. A list holds the form for one and the form for any other number."""

    def __init__(self, texts: Texts, parent: QApplication, sentences: Sentences | None = None) -> None:
        super().__init__(parent)
        self._texts = texts
        self._sentences = sentences

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, sourceText: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        if context == _SERVICES and self._sentences is not None:
            return self._sentences.translate(sourceText)
        found = self._texts.get(sourceText)
        if isinstance(found, list):
            found = found[0] if n == 1 else found[1]
        return found


def texts(folder: Path, language: str) -> Texts:
    """All texts of a language; English lists only what has a plural."""
    found: Texts = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    return found


def sentences(folder: Path, language: str) -> Sentences:
    """What services say, in a language; English is what they speak themselves."""
    file = folder / f"{language}-services.json"
    return Sentences(json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {})


def speak(application: QApplication, folder: Path, choice: str) -> None:
    """Installs the chosen language; `system` takes German where the system speaks it, else English."""
    while _spoken:
        former = _spoken.pop()
        application.removeTranslator(former)
        former.deleteLater()
    system = "de" if QLocale.system().language() == QLocale.Language.German else "en"
    language = system if choice == "system" else choice
    QLocale.setDefault(QLocale.system() if choice == "system" else QLocale(language))
    own = QTranslator(application)
    if own.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        _spoken.append(own)
    _spoken.append(JsonTranslator(texts(folder, language), application, sentences(folder, language)))
    for translator in _spoken:
        application.installTranslator(translator)
