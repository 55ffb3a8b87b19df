"""The artist's own style presets."""

from __future__ import annotations

from ..domain.errors import NotFound
from ..domain.style import StylePreset, validate_style
from .connection import Library
from .tables import StyleRow, columns


class Styles:
    """Presets by name; names differ in more than their case."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def save(self, style: StylePreset) -> StylePreset:
        """Keeps a preset, in place of one of the same name; raises BadInput."""
        validate_style(style)
        values = {name: value for name, value in vars(style).items() if name != "built_in"}
        self._library.write(lambda db: StyleRow.insert(**values).on_conflict("REPLACE").execute(db))
        return style

    def list(self) -> tuple[StylePreset, ...]:
        """All presets in the order of their names."""
        query = StyleRow.select(*columns(StyleRow)).order_by(StyleRow.name)
        rows = self._library.read(lambda db: [*db.execute(query)])
        names = [field.name for field in columns(StyleRow)]
        return tuple(StylePreset(**dict(zip(names, row, strict=True))) for row in rows)

    def remove(self, name: str) -> None:
        """Forgets a preset; raises NotFound."""
        query = StyleRow.delete().where(StyleRow.name == name)
        if not self._library.write(query.execute):
            raise NotFound(f"There is no style of yours called {name}.")
