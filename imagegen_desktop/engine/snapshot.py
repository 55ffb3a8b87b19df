"""A half-done image as one safetensors file, written durably beside the work and read with suspicion."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors import safe_open
from safetensors.torch import save

from .state import State

VERSION = 1
_FIRST = "first picture"

#: What an image's bytes depend on beside its request, by name.
Surroundings = dict[str, str]


class UnusableSnapshot(Exception):
    """Says why, as the end of a sentence."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """`request` is the JSON of the one image it belongs to. `first` is the picture of a first pass that is done,
    (height, width, 3) bytes, which took `first_steps`."""

    state: State
    request: dict[str, Any]
    surroundings: Surroundings
    first: torch.Tensor | None = None
    first_steps: int = 0


def surroundings(device_name: str, precision: torch.dtype, model_hash: str) -> Surroundings:
    return {
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "device": device_name,
        "instruction set": torch.backends.cpu.get_cpu_capability(),
        "precision": str(precision),
        "platform": f"{sys.platform} {platform.machine()}",
        "model": model_hash,
    }


def differences(then: Surroundings, now: Surroundings) -> list[str]:
    """The names of what changed; what either side does not know is not held against it."""
    return [name for name in now if then.get(name) and now[name] and then[name] != now[name]]


def write(snapshot: Snapshot, place: Path) -> None:
    """Durable when it returns: the old file or the whole new one, never a piece."""
    head: dict[str, Any] = {
        "version": VERSION,
        "step": snapshot.state.step,
        "steps": snapshot.state.steps,
        "output_shape": snapshot.state.output_shape,
        "tree": snapshot.state.tree,
        "request": snapshot.request,
        "surroundings": snapshot.surroundings,
        "first_steps": snapshot.first_steps,
    }
    tensors = dict(snapshot.state.tensors)
    if snapshot.first is not None:
        tensors[_FIRST] = snapshot.first
    write_sealed(place, head, tensors)


def write_sealed(place: Path, head: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
    """As `write`, with any head that JSON can hold."""
    text = json.dumps(head)
    content = save(dict(tensors), {"imagegen": text, "sha256": _seal(text, tensors)})
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(place.name + ".part")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, place)
    if os.name == "posix":
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read(place: Path) -> Snapshot:
    """Raises UnusableSnapshot for anything but a whole file of this version."""
    head, tensors = read_sealed(place)
    try:
        if head["version"] != VERSION:
            raise UnusableSnapshot(f"it is of version {head['version']}")
        first = tensors.pop(_FIRST, None)
        state = State(
            step=head["step"],
            steps=head["steps"],
            output_shape=tuple(head["output_shape"]),
            tree=head["tree"],
            tensors=tensors,
        )
        return Snapshot(
            state=state,
            request=head["request"],
            surroundings=head["surroundings"],
            first=first,
            first_steps=head.get("first_steps", 0),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableSnapshot("its file is damaged or gone") from error


def read_sealed(place: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Head and tensors; raises UnusableSnapshot for anything but a whole file."""
    try:
        with safe_open(place, framework="pt") as file:
            labels = file.metadata()
            # Copied: what safetensors gives is the file itself, which Windows would not let be written again.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  it is no mapping
        head: dict[str, Any] = json.loads(labels["imagegen"])
        sound = labels["sha256"] == _seal(labels["imagegen"], tensors)
    except Exception as error:  # a broken file fails in any layer, each with an exception of its own
        raise UnusableSnapshot("its file is damaged or gone") from error
    if not sound:
        raise UnusableSnapshot("its file is damaged")
    return head, tensors


def _seal(head: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over the head and every tensor's bytes."""
    whole = hashlib.sha256(head.encode())
    for name in sorted(tensors):
        whole.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return whole.hexdigest()


class SnapshotWriter:
    """Writes in a thread of its own; of several waiting snapshots of one image only the last matters."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: tuple[Snapshot, Path] | None = None
        self._writing = False
        self._failed: Exception | None = None
        threading.Thread(target=self._work, name="snapshots", daemon=True).start()

    def put(self, snapshot: Snapshot, place: Path) -> None:
        with self._changed:
            self._waiting = snapshot, place
            self._changed.notify_all()

    def flush(self) -> None:
        """Returns when everything is on disk; raises what the last write failed with."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is None and not self._writing)
            failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def drop(self) -> None:
        """Forgets what is not written yet, so that no file appears after its image is done."""
        with self._changed:
            self._waiting = None
            self._changed.wait_for(lambda: not self._writing)
            self._failed = None

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None)
                task, self._waiting = self._waiting, None
                self._writing = True
            failed = _failure_of(task)
            with self._changed:
                self._writing, self._failed = False, failed
                self._changed.notify_all()


def _failure_of(task: tuple[Snapshot, Path] | None) -> Exception | None:
    """Writes; what went wrong. A snapshot is a comfort: failing to write one must not end the thread or the job."""
    try:
        if task is not None:
            write(*task)
    except Exception as error:  # noqa: BLE001  handed to whoever flushes
        print(f"snapshot not written: {error}", file=sys.stderr)  # noqa: T201  stderr is our log
        return error
    return None
