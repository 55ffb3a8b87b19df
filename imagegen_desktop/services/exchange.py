"""Pictures going out to other programs and coming in from them: copies in other formats, settings found in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..domain.errors import DiskProblem, NotFound
from ..imaging.decode import Decoder
from ..imaging.encode import encode_jpeg, encode_png, encode_webp
from ..imaging.findings import FoundSettings
from ..imaging.metadata import read_recipe, read_settings
from ..imaging.picture import Picture
from ..imaging.recipe import Recipe
from ..storage.durable import write_durably

_ENCODERS: dict[str, Callable[[Picture, Recipe | None], bytes]] = {
    ".png": encode_png,
    ".jpg": encode_jpeg,
    ".jpeg": encode_jpeg,
    ".webp": encode_webp,
}

#: File endings a picture can be written with.
ENDINGS = tuple(_ENCODERS)


def settings_of(file: Path) -> FoundSettings:
    """The settings inside an image of ours or of another program; raises NotFound or BadInput."""
    return read_settings(file)


def write_copy(picture: Path, target: Path, overwrite: bool = False) -> None:
    """Writes a library picture to `target` in the format of its ending, with its settings inside."""
    try:
        data = picture.read_bytes()
    except OSError as error:
        raise DiskProblem(f"{picture} cannot be read: {error.strerror}.") from error
    ending = target.suffix.lower()
    if ending != picture.suffix.lower():
        with Decoder() as decoder:
            data = _ENCODERS[ending](decoder.decode(data), _recipe_of(picture))
    write_durably(target, data, overwrite)


def _recipe_of(picture: Path) -> Recipe | None:
    try:
        return read_recipe(picture)
    except NotFound:
        return None
