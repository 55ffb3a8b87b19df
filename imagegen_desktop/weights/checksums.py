"""Checksums of model files, to compare with those a hub shows."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..domain.errors import ModelProblem

_WEIGHTS = (".safetensors", ".gguf")


def checksums(path: Path) -> dict[str, str]:
    """SHA-256 in hexadecimal of a file, or of each file of weights in a folder, by its name there."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix.lower() in _WEIGHTS)
    found = {}
    for file in files:
        try:
            with file.open("rb") as opened:
                name = file.name if file == path else file.relative_to(path).as_posix()
                found[name] = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise ModelProblem(f"{file} cannot be read: {error.strerror}.", "Check the disk.") from error
    return found
