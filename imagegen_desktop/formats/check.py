"""The one question before any loader sees a file or folder: is it sound, and nothing but tensors?"""

from __future__ import annotations

from pathlib import Path

from .folder import INDEX, check_files, check_folder
from .gguf import read_gguf
from .kinds import SAFETENSORS, kind_of, refuse_pickle
from .safetensors import read_safetensors


def check_weights(path: Path) -> None:
    """Raises ModelProblem, saying in one line why, for whatever must not or cannot be opened."""
    if path.is_dir():
        if (path / INDEX).exists():
            check_folder(path)
        else:
            check_files(path)
        return
    kind = kind_of(path)
    refuse_pickle(path, kind)
    if kind == SAFETENSORS:
        read_safetensors(path)
    else:
        read_gguf(path)
