"""Both themes can be read: contrast of every pair of colours that meet."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from imagegen_desktop.ui.theme import Theme
from imagegen_desktop.ui.tokens import DARK, LIGHT, Tokens, contrast

BACKGROUNDS = ("canvas", "panel", "raised", "hover", "selected", "error_back", "warning_back", "info_back")
ENOUGH = 4.5


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_words_can_be_read(tokens: Tokens, background: str) -> None:
    assert contrast(tokens.text, getattr(tokens, background)) >= ENOUGH
    assert contrast(tokens.muted, getattr(tokens, background)) >= ENOUGH


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("role", ["accent_text", "good", "warning", "error"])
@pytest.mark.parametrize("background", ["canvas", "panel", "raised", "selected"])
def test_coloured_words_can_be_read(tokens: Tokens, role: str, background: str) -> None:
    assert contrast(getattr(tokens, role), getattr(tokens, background)) >= ENOUGH


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_the_main_button_can_be_read(tokens: Tokens) -> None:
    assert contrast(tokens.on_accent, tokens.accent) >= ENOUGH
    assert contrast(tokens.on_accent, tokens.accent_hover) >= 3
    assert contrast(tokens.accent, tokens.panel) >= 3


def test_contrast_is_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_choice_dresses_the_application(qapp: QApplication, theme: Theme) -> None:
    theme.choose("light")
    assert theme.tokens is LIGHT
    assert LIGHT.accent in qapp.styleSheet()
    assert qapp.palette().window().color().name() == LIGHT.panel
    theme.choose("dark")
    assert theme.tokens is DARK
    assert "$" not in qapp.styleSheet()
