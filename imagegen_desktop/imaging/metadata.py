"""The settings inside a picture: ours without loss, other programs' as far as they can be mapped."""

from __future__ import annotations

from pathlib import Path

from ..domain.errors import BadInput, NotFound
from .containers import texts_of
from .decode import Decoder, check_kind, kind_of, read_picture_file
from .findings import FoundSettings, found_recipe
from .foreign.stealth import hidden_text
from .foreign_metadata import read_comment, read_foreign
from .recipe import KEY, Recipe


def read_settings(source: Path | bytes, decoder: Decoder | None = None) -> FoundSettings:
    """The settings found in a PNG, JPEG or WebP; raises BadInput for no picture, NotFound when there are none.

    With a decoder, settings hidden in the pixels are found too.
    """
    data = read_picture_file(source) if isinstance(source, Path) else source
    name = str(source) if isinstance(source, Path) else "the picture"
    check_kind(data, name)
    texts = texts_of(data)
    recipe = _own_recipe(texts)
    if recipe is not None:
        return found_recipe(recipe, KEY)
    found = read_foreign(texts) or (_hidden(data, decoder) if decoder else None)
    if found is None:
        raise NotFound(f"There are no settings in {name}.", "Only pictures that still carry their metadata can tell.")
    return found


def read_recipe(source: Path | bytes) -> Recipe:
    """The recipe of a picture of ours, for rebuilding the library; raises BadInput or NotFound."""
    data = read_picture_file(source) if isinstance(source, Path) else source
    check_kind(data, str(source) if isinstance(source, Path) else "the picture")
    recipe = _own_recipe(texts_of(data))
    if recipe is None:
        raise NotFound("This picture was not made by this program.")
    return recipe


def _own_recipe(texts: dict[str, str]) -> Recipe | None:
    note = texts.get("MakerNote", "")
    text = texts.get(KEY) or (note.removeprefix(f"{KEY}\0") if note.startswith(f"{KEY}\0") else "")
    try:
        return Recipe.from_json(text) if text else None
    except BadInput:
        return None  # damaged or newer: the line for other programs may still be read


def _hidden(data: bytes, decoder: Decoder) -> FoundSettings | None:
    """Only formats without loss can hide anything."""
    if kind_of(data) == "jpeg":
        return None
    try:
        text = hidden_text(decoder.decode(data))
    except BadInput:
        return None
    return read_comment(text) if text else None
