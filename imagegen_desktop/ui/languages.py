"""Languages: texts from resources/lang, one JSON file a language, and Qt's own."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

Texts = dict[str, str | list[str]]


class JsonTranslator(QTranslator):
    """A text by its English one. A list holds the form for one and the form for any other number."""

    def __init__(self, texts: Texts, parent: QApplication) -> None:
        super().__init__(parent)
        self._texts = texts

    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, sourceText: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        found = self._texts.get(sourceText)
        if isinstance(found, list):
            found = found[0] if n == 1 else found[1]
        return found


def texts(folder: Path, language: str) -> Texts:
    """All texts of a language; English lists only what has a plural."""
    found: Texts = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    return found


def speak(application: QApplication, folder: Path, choice: str) -> None:
    """Installs the chosen language; `system` takes German where the system speaks it, else English."""
    for former in application.findChildren(QTranslator):
        application.removeTranslator(former)
        former.deleteLater()
    system = "de" if QLocale.system().language() == QLocale.Language.German else "en"
    language = system if choice == "system" else choice
    QLocale.setDefault(QLocale.system() if choice == "system" else QLocale(language))
    own = QTranslator(application)
    if own.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        application.installTranslator(own)
    application.installTranslator(JsonTranslator(texts(folder, language), application))
