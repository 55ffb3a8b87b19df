"""Pictures going out to other programs and coming in from them: copies in other formats, settings found in files."""

from __future__ import annotations

from pathlib import Path

from ..domain.errors import DiskProblem
from ..imaging.encode import FORMATS, transcode
from ..imaging.metadata import FoundSettings, read_settings
from ..storage.durable import write_durably

#: File endings a picture can be written with.
ENDINGS = tuple(sorted(FORMATS))


def settings_of(file: Path) -> FoundSettings:
    """The settings inside an image of ours or of another program; raises NotFound or BadInput."""
    return read_settings(file)


def write_copy(picture: Path, target: Path, overwrite: bool = False) -> None:
    """Writes a library picture to `target` in the format of its ending, with its settings inside."""
    try:
        data = picture.read_bytes()
    except OSError as error:
        raise DiskProblem(f"{picture} cannot be read: {error.strerror}.") from error
    if target.suffix.lower() != picture.suffix.lower():
        data = transcode(data, target.suffix.lower())
    write_durably(target, data, overwrite)
