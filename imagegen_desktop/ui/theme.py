"""The look: palette, font and style sheet made of the tokens, following the system or a choice."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from .icons import dress
from .tokens import BODY, DARK, HEADLINE, LIGHT, SMALL, TITLE, Tokens


class Theme(QObject):
    """Dresses the application and says when the tokens have changed."""

    changed = Signal()

    def __init__(self, application: QApplication, folder: Path) -> None:
        super().__init__(application)
        self._application = application
        self._sheet = Template((folder / "window.qss").read_text(encoding="utf-8"))
        self._folder = folder
        self._choice = "system"
        self.tokens = DARK
        application.setStyle("Fusion")
        application.setFont(_font())
        application.styleHints().colorSchemeChanged.connect(self._follow_system)

    def choose(self, choice: str) -> None:
        """`choice` is system, light or dark."""
        self._choice = choice
        self._dress()

    def dress(self, root: QWidget) -> None:
        """Icons of the theme of the day for everything below `root`."""
        dress(root, self.tokens)

    def _follow_system(self) -> None:
        if self._choice == "system":
            self._dress()

    def _dress(self) -> None:
        self.tokens = self._wanted()
        self._application.setPalette(palette(self.tokens))
        folder = self._folder.as_posix()
        values = asdict(self.tokens) | {"folder": folder, "small": SMALL, "title": TITLE, "headline": HEADLINE}
        self._application.setStyleSheet(self._sheet.substitute(values))
        self.changed.emit()

    def _wanted(self) -> Tokens:
        if self._choice == "system":
            light = self._application.styleHints().colorScheme() == Qt.ColorScheme.Light
            return LIGHT if light else DARK
        return LIGHT if self._choice == "light" else DARK


def _font() -> QFont:
    """The system's font; where a bare system has no opinion, a good one that is installed."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if font.family() in ("", "Sans Serif", "DejaVu Sans"):
        font.setFamilies(["Inter", "Noto Sans", "Cantarell", "DejaVu Sans"])
    font.setPixelSize(BODY)
    return font


def palette(tokens: Tokens) -> QPalette:
    role = QPalette.ColorRole
    colors = {
        role.Window: tokens.panel, role.WindowText: tokens.text, role.Base: tokens.raised,
        role.AlternateBase: tokens.panel, role.Text: tokens.text, role.Button: tokens.raised,
        role.ButtonText: tokens.text, role.BrightText: tokens.error, role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent, role.ToolTipBase: tokens.raised, role.ToolTipText: tokens.text,
        role.PlaceholderText: tokens.muted, role.Link: tokens.accent_text, role.LinkVisited: tokens.accent_text,
        role.Light: tokens.hover, role.Midlight: tokens.hover, role.Mid: tokens.border, role.Dark: tokens.line,
        role.Shadow: tokens.line, role.Accent: tokens.accent,
    }  # fmt: skip
    made = QPalette()
    for which, name in colors.items():
        made.setColor(which, QColor(name))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.muted))
    return made


def sized(font: QFont, pixels: int, *, bold: bool = False) -> QFont:
    """A copy of `font` in one of the four sizes."""
    copy = QFont(font)
    copy.setPixelSize(pixels)
    if bold:
        copy.setWeight(QFont.Weight.DemiBold)
    return copy


def moves() -> bool:
    """False when the system wishes reduced motion."""
    style = QApplication.style()
    return bool(style.styleHint(style.StyleHint.SH_Widget_Animation_Duration))
