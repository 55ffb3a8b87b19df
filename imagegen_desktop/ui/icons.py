"""Line icons, drawn from the SVG files we ship in whatever colour the theme asks for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QPushButton, QWidget

from ..paths import resources
from .tokens import Tokens

_NAME = "iconName"
_ROLE = "iconRole"
#: Beside words an icon has this much more room at its right, as a share of its size, so that they keep their distance.
_GAP = 0.25
_BESIDE_TEXT = QSize(20, 16)
_SIZES = (16, 20, 24, 32, 40, 48)


def name_icon(target: QAction | QAbstractButton, name: str, role: str = "text") -> None:
    """Says which icon `target` carries and in which token's colour; `dress` draws it for the theme of the day."""
    target.setProperty(_NAME, name)
    target.setProperty(_ROLE, role)


def dress(root: QWidget, tokens: Tokens) -> None:
    """Gives every button and action below `root` its icon in the colours of `tokens`."""
    found: list[QObject] = [root, *root.findChildren(QAbstractButton), *root.findChildren(QAction)]
    for target in found:
        name = target.property(_NAME)
        if name and isinstance(target, QAbstractButton | QAction):
            color = str(getattr(tokens, target.property(_ROLE)))
            beside_text = isinstance(target, QPushButton) and bool(target.text())
            target.setIcon(icon(name, color, tokens.muted, _GAP if beside_text else 0.0))
            if beside_text and isinstance(target, QPushButton):
                target.setIconSize(_BESIDE_TEXT)


@lru_cache(maxsize=256)
def icon(name: str, color: str, disabled: str = "", gap: float = 0.0) -> QIcon:
    """`gap` is empty room at the right, as a share of the size."""
    made = QIcon()
    for size in _SIZES:
        made.addPixmap(_drawn(name, color, size, gap=gap))
        if disabled:
            made.addPixmap(_drawn(name, disabled, size, 0.55, gap), QIcon.Mode.Disabled)
    return made


def pixmap(name: str, color: str, size: int, ratio: float) -> QPixmap:
    """The icon at `size` logical pixels for a screen of that device pixel ratio."""
    made = QPixmap(_drawn(name, color, round(size * ratio)))
    made.setDevicePixelRatio(ratio)
    return made


@lru_cache(maxsize=512)
def _drawn(name: str, color: str, size: int, opacity: float = 1.0, gap: float = 0.0) -> QPixmap:
    made = QPixmap(QSize(round(size * (1 + gap)), size))
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setOpacity(opacity)
    svg = _source(name).replace("currentColor", color)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return made


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return _folder().joinpath(f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _folder() -> Path:
    return resources() / "icons"
