"""Style presets: the frozen ones we ship and the artist's own."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..database.styles import Styles as OwnStyles
from ..domain.errors import BadInput
from ..domain.style import NO_STYLE, StylePreset, validate_style
from .announce import Announcer, StylesChanged


def shipped_styles(folder: Path) -> dict[str, StylePreset]:
    """Every preset of resources/styles/styles.toml, in the order it stands there."""
    found = tomllib.loads((folder / "styles.toml").read_text(encoding="utf-8"))
    styles = {}
    for name, values in found.items():
        picture = folder / f"{name.replace(' ', '-')}.png"
        style = StylePreset(name=name, built_in=True, picture=str(picture) if picture.exists() else "", **values)
        styles[name] = validate_style(style)
    return styles


class Styles:
    """All presets by name, "none" first; names are compared without regard to case."""

    def __init__(self, folder: Path, own: OwnStyles, announce: Announcer) -> None:
        self._shipped = shipped_styles(folder)
        self._own = own
        self._announce = announce

    def all(self) -> list[StylePreset]:
        return [*self._shipped.values(), *self._own.list()]

    def get(self, name: str) -> StylePreset:
        wanted = name.strip().casefold() or NO_STYLE
        if wanted in self._shipped:  # no question to the database, and nobody's own can have that name
            return self._shipped[wanted]
        for style in self.all():
            if style.name.casefold() == wanted:
                return style
        raise BadInput("style", name, "one of " + ", ".join(style.name for style in self.all()))

    def save(self, style: StylePreset) -> None:
        """Keeps an own preset, replacing the one of that name; shipped ones cannot be replaced."""
        if style.name.casefold() in {name.casefold() for name in self._shipped}:
            raise BadInput("style name", style.name, "a name that no shipped style has")
        self._change(lambda: self._own.save(validate_style(replace(style, built_in=False))))

    def remove(self, name: str) -> None:
        if self.get(name).built_in:
            raise BadInput("style", name, "one of your own; shipped styles stay")
        self._change(lambda: self._own.remove(name))

    def _change(self, change: Callable[[], object]) -> None:
        change()
        self._announce.publish(StylesChanged())
