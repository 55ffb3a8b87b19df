"""Opens strangers' files: regular ones only, so that neither a pipe nor a device makes anybody wait."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..domain.errors import ModelProblem

COPY_AGAIN = "Copy or download it again."


@contextmanager
def open_regular(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The open file and its size in bytes; raises ModelProblem for whatever cannot be read or is no file."""
    try:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise ModelProblem(f"{path.name} is no file.", "Choose a model file.")
            yield file, found.st_size
    except FileNotFoundError:
        raise ModelProblem(f"There is no model at {path}.", "Check the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelProblem(f"{path.name} cannot be read: {reason}.", COPY_AGAIN) from error


def exactly(file: BinaryIO, size: int, name: str) -> bytes:
    """The next `size` bytes; raises ModelProblem when the file ends before."""
    data = bytearray()
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            raise ModelProblem(f"{name} is cut off.", COPY_AGAIN)
        data += more
    return bytes(data)
