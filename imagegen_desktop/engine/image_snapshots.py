"""The snapshots of one image that is being drawn: when one is due, what it says beside the state, reading it back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Picture

from ..domain.request import GenerationRequest
from ..protocol.messages import Generate
from .load import LoadedModel
from .snapshot import Snapshot, SnapshotWriter, Surroundings, UnusableSnapshot, differences, read, surroundings
from .state import State, Unsavable


class ImageSnapshots:
    """Of the one image `request` asks for; none is written where the command names no place."""

    def __init__(
        self, command: Generate, request: GenerationRequest, model: LoadedModel, writer: SnapshotWriter
    ) -> None:
        self._command = command
        self._request = request
        self._model = model
        self._writer = writer
        self._sampling = self._saved = time.perf_counter()
        self._first: torch.Tensor | None = None
        self._first_steps = 0

    def begin(self) -> None:
        """The sampling begins now."""
        self._sampling = self._saved = time.perf_counter()

    def carry(self, first: Picture.Image, steps: int) -> None:
        """From now on they hold the picture of a first pass that is done and took that many steps."""
        self._first, self._first_steps = torch.from_numpy(np.array(first)), steps

    def read(self, place: Path) -> Snapshot:
        """Raises UnusableSnapshot, also for one of another image."""
        snapshot = read(place)
        if snapshot.request != self._identity():
            raise UnusableSnapshot("it belongs to another request")
        return snapshot

    def changed_since(self, snapshot: Snapshot) -> list[str]:
        """The names of what an image's bytes depend on and is not as it was."""
        return differences(snapshot.surroundings, self._surroundings())

    def put_if_due(self, now: float, take: Callable[[], State], *, finished: bool) -> None:
        """Every so often, and when a long sampling is finished: its decoding may take long as well, or fail. Does not
        wait for the disk."""
        since = self._sampling if finished else self._saved
        if self._command.snapshot and 0 < self._command.snapshot_seconds <= now - since:
            self._saved = now
            with suppress(Unsavable):
                self._put(take())

    def keep(self, take: Callable[[], State]) -> str:
        """Writes one now; its place, or empty when none was asked for or it cannot be written."""
        if not self._command.snapshot:
            return ""
        try:
            self._put(take())
            self._writer.flush()
        except (OSError, Unsavable):
            return ""
        return self._command.snapshot

    def _put(self, state: State) -> None:
        snapshot = Snapshot(
            state=state,
            request=self._identity(),
            surroundings=self._surroundings(),
            first=self._first,
            first_steps=self._first_steps,
        )
        self._writer.put(snapshot, Path(self._command.snapshot))

    def _surroundings(self) -> Surroundings:
        device = self._model.device
        return surroundings(device.name, self._model.denoiser.dtype, self._model.hash.value(wait=False))

    def _identity(self) -> dict[str, Any]:
        """The request without what does not decide pixels, and the content of what it names, as it comes back from
        JSON."""
        told = replace(self._request, priority=0, use_cache=True, until=None, device=None).to_dict()
        told["added"] = self._model.adapters.identity(self._request, self._command.extras)
        identity: dict[str, Any] = json.loads(json.dumps(told))
        return identity
