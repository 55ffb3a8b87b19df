"""The fingerprint of a model's weights, computed beside the work and never before it."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 2**22

#: The hash of a file's content under its path, size in bytes and time of last change.
KnownHashes = dict[tuple[str, int, int], str]


class ModelHash:
    """SHA-256 over the weight files' own SHA-256, in hexadecimal. Starts when first asked to."""

    def __init__(self, files: tuple[tuple[str, int, int], ...], known: KnownHashes) -> None:
        self._files = files
        self._known = known
        self._value = ""
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Starts computing in a thread of the lowest priority; does nothing the second time."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._compute, name="model-hash", daemon=True)
            self._thread.start()

    def value(self, wait: bool) -> str:
        """The hash; empty while it is not known, or when the files cannot be read."""
        if wait and self._thread is not None:
            self._thread.join()
        return self._value

    def _compute(self) -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        whole = hashlib.sha256()
        try:
            for file in self._files:
                if file not in self._known:
                    self._known[file] = _content_hash(Path(file[0]))
                whole.update(self._known[file].encode())
        except OSError:
            return
        self._value = whole.hexdigest()


@dataclass(frozen=True)
class Digest:
    """SHA-256 of a file or of a folder's weight files: of all bytes, and of what follows a safetensors' header."""

    whole: str
    tensors: str

    def short(self, kind: str) -> str:
        """As AUTOMATIC1111 names a file of that kind."""
        return self.tensors[:12] if kind == "lora" else self.whole[:10]


class Digests:
    """Of files, each read once for as long as it stays the same, beside the work. A file is told as its path, its size
    in bytes and time of last change."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="digests")
        self._known: dict[tuple[str, int, int], Future[Digest]] = {}

    def begin(self, file: tuple[str, int, int]) -> None:
        """Starts reading it; does nothing the second time."""
        if file not in self._known:
            self._known[file] = self._pool.submit(_digest, Path(file[0]))

    def of(self, file: tuple[str, int, int]) -> Digest:
        """Waits for it; raises OSError for a file that cannot be read."""
        self.begin(file)
        return self._known[file].result()


def _digest(path: Path) -> Digest:
    whole, tensors = hashlib.sha256(), hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*.safetensors")):
        with file.open("rb") as content:
            head = content.read(8)
            head += content.read(int.from_bytes(head, "little")) if file.suffix.lower() == ".safetensors" else b""
            whole.update(head)
            while chunk := content.read(_CHUNK):
                whole.update(chunk)
                tensors.update(chunk)
    return Digest(whole.hexdigest(), tensors.hexdigest())


def _content_hash(file: Path) -> str:
    whole = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            whole.update(chunk)
    return whole.hexdigest()
