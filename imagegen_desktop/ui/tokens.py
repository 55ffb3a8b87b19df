"""Tokens: every colour, size and duration of the look, for both themes."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor

GRID = 8
CORNER = 4
SMALL, BODY, TITLE, HEADLINE = 11, 13, 16, 20
MOTION = 160


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Colours of one theme, each named after what it is for."""

    name: str
    canvas: str
    panel: str
    raised: str
    hover: str
    pressed: str
    border: str
    line: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    accent_text: str
    on_accent: str
    selected: str
    good: str
    warning: str
    error: str
    error_back: str
    warning_back: str
    info_back: str
    mask: str


DARK = Tokens(
    name="dark",
    canvas="#1e1e1e",
    panel="#262626",
    raised="#303030",
    hover="#3a3a3a",
    pressed="#444444",
    border="#474747",
    line="#161616",
    text="#ececec",
    muted="#a8a8a8",
    accent="#2f6bed",
    accent_hover="#3f78f0",
    accent_text="#8db4ff",
    on_accent="#ffffff",
    selected="#263757",
    good="#7ccb92",
    warning="#f0bd5e",
    error="#ff9d92",
    error_back="#40262a",
    warning_back="#3b3220",
    info_back="#25324a",
    mask="#ff4d4d",
)

LIGHT = Tokens(
    name="light",
    canvas="#f4f4f4",
    panel="#ffffff",
    raised="#f1f1f1",
    hover="#e6e6e6",
    pressed="#d9d9d9",
    border="#c6c6c6",
    line="#e0e0e0",
    text="#1b1b1b",
    muted="#5d5d5d",
    accent="#2360dd",
    accent_hover="#1b53c6",
    accent_text="#1d54c4",
    on_accent="#ffffff",
    selected="#d6e3ff",
    good="#1c6b36",
    warning="#7d5200",
    error="#b3261e",
    error_back="#fdeceb",
    warning_back="#fdf3dd",
    info_back="#e8f0ff",
    mask="#e5262b",
)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours, 1…21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(name: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)

    color = QColor(name)
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF())
