"""A half-enlarged picture as a file: the tiles that are done wait there for the others."""

from __future__ import annotations

import hashlib
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..protocol.messages import Upscale
from .snapshot import UnusableSnapshot, read_sealed, write_sealed

#: Writing may take this share of the time at most: a large picture is hundreds of megabytes.
_SHARE = 0.05
_ROWS, _ENLARGED = "rows", "enlarged"

Rows = np.ndarray  # (height, width, 3) bytes


@dataclass(frozen=True)
class Unfinished:
    """`done` counts tiles of all passes; `rows` is what the running pass enlarges, None in the first, which enlarges
    the job's own picture; `enlarged` is what it makes, as far as it is done."""

    done: int
    rows: Rows | None
    enlarged: Rows


class UnfinishedFile:
    """Of one Upscale; writes only where the command names a place."""

    def __init__(self, command: Upscale, device: torch.device) -> None:
        self._command = command
        self._identity = _identity(command, device)
        self._written = time.perf_counter()
        self._took = 0.0

    def read(self) -> Unfinished | None:
        """What is to be gone on with; a file that does not fit costs the tiles, never the job."""
        if not self._command.resume:
            return None
        with suppress(UnusableSnapshot):
            head, tensors = read_sealed(Path(self._command.resume))
            if head.get("identity") == self._identity:
                found = {name: tensor.numpy() for name, tensor in tensors.items()}
                return Unfinished(head["done"], found.get(_ROWS), found[_ENLARGED])
        return None

    def is_due(self) -> bool:
        pause = max(self._command.snapshot_seconds, self._took / _SHARE)
        return self._command.snapshot_seconds > 0 and pause <= time.perf_counter() - self._written

    def write(self, unfinished: Unfinished | None) -> str:
        """Its place when it returns, durable; empty when nothing could be written or there is nothing yet."""
        if not self._command.snapshot or unfinished is None:
            return ""
        began = time.perf_counter()
        tensors = {_ENLARGED: torch.from_numpy(unfinished.enlarged)}
        if unfinished.rows is not None:
            tensors[_ROWS] = torch.from_numpy(unfinished.rows)
        try:
            write_sealed(Path(self._command.snapshot), {"identity": self._identity, "done": unfinished.done}, tensors)
        except OSError as error:  # a comfort: failing to write it must not end the job
            print(f"half-enlarged picture not written: {error}", file=sys.stderr)  # noqa: T201  stderr is our log
            return ""
        finally:
            self._written = time.perf_counter()
            self._took = self._written - began
        return self._command.snapshot


def _identity(command: Upscale, device: torch.device) -> dict[str, Any]:
    """What decides the tiles and their bytes, as it comes back from JSON."""
    file = Path(command.upscaler)
    stamp = [file.stat().st_size, file.stat().st_mtime_ns] if command.upscaler and file.is_file() else []
    return {
        "version": 1,
        "sizes": [command.width, command.height, command.target_width, command.target_height],
        "image": hashlib.sha256(command.image).hexdigest(),
        "upscaler": [command.upscaler, *stamp],
        "device": device.type,
    }
