"""Opens strangers' pictures: the bytes go to a worker process with little memory, little time and nothing to lose."""

from __future__ import annotations

import json
import os
import re
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from ..domain.errors import BadInput
from .picture import MOST_PIXELS, Fingerprint, Picture

T = TypeVar("T")

MOST_BYTES = 256 * 2**20
SECONDS = 10.0

_SHA256 = re.compile("[0-9a-f]{64}")
_ALLOWED = "a PNG, JPEG or WebP picture"
_NOT_LARGER = f"a file of at most {MOST_BYTES // 2**20} MB"
_KEPT_VARIABLES = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_REASONS = {
    "too large": f"at most {MOST_PIXELS // 1_000_000} megapixels",
    "truncated": f"{_ALLOWED} that is whole; this file is cut off",
    "unreadable": f"{_ALLOWED}; this one cannot be read",
}


def worker_command() -> list[str]:
    """How the worker is started from source; a frozen program passes its own command to `Decoder`."""
    return [sys.executable, "-I", "-B", str(Path(__file__).with_name("worker.py"))]


class Decoder:
    """Keeps one warm worker for any thread; a worker that dies or dawdles is replaced, and the file was to blame."""

    def __init__(self, command: Sequence[str] = (), seconds: float = SECONDS) -> None:
        self._command = list(command) or worker_command()
        self._seconds = seconds
        self._worker: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def decode(self, source: Path | bytes, max_side: int | None = None, name: str = "") -> Picture:
        """The upright sRGB picture, shrunk to `max_side` if it is larger; raises BadInput with the reason."""
        data = read_picture_file(source) if isinstance(source, Path) else source
        name = name or (str(source) if isinstance(source, Path) else "a picture")
        return self._answered(data, name, {"max_side": max_side, "only_hash": False}, _read_picture)

    def fingerprint(self, data: bytes, name: str) -> Fingerprint:
        """Decodes the whole picture too, but brings only its size and hash here; raises BadInput with the reason."""
        return self._answered(data, name, {"max_side": None, "only_hash": True}, _read_fingerprint)

    def another(self) -> Decoder:
        """One more like this, with a worker of its own."""
        return Decoder(self._command, self._seconds)

    def _answered(
        self, data: bytes, name: str, wish: dict[str, Any], read: Callable[[IO[bytes], dict[str, Any]], T]
    ) -> T:
        check_kind(data, name)
        with self._lock:
            try:
                return self._ask(data, name, wish, read)
            except (OSError, ValueError, EOFError) as error:
                self._stop()
                self._start()  # the next picture need not wait for it
                raise BadInput("image", name, _REASONS["unreadable"]) from error

    def close(self) -> None:
        """Ends the worker; a later call would start another."""
        with self._lock:
            self._stop()

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, data: bytes, name: str, wish: dict[str, Any], read: Callable[[IO[bytes], dict[str, Any]], T]) -> T:
        worker = self._start()
        assert worker.stdin is not None
        assert worker.stdout is not None
        alarm = threading.Timer(self._seconds, worker.kill)
        alarm.start()
        try:
            head = json.dumps({"size": len(data)} | wish).encode()
            worker.stdin.write(struct.pack(">I", len(head)) + head)
            worker.stdin.write(data)
            worker.stdin.flush()
            return read(worker.stdout, _read_head(worker.stdout, name))
        finally:
            alarm.cancel()
            alarm.join()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            self._stop()
            self._worker = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        return self._worker

    def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def decode_image(source: Path | bytes, max_side: int | None = None) -> Picture:
    """Decodes one picture in a worker of its own; keep a `Decoder` for several."""
    with Decoder() as decoder:
        return decoder.decode(source, max_side)


def read_picture_file(path: Path) -> bytes:
    """The bytes of a regular file of bearable size; raises BadInput naming what is wrong with it."""
    name = str(path)
    try:
        if path.is_dir():
            raise BadInput("image", name, f"{_ALLOWED}; this is a folder")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise BadInput("image", name, f"{_ALLOWED}; this is no file")
            if info.st_size > MOST_BYTES:
                raise BadInput("image", name, _NOT_LARGER)
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise BadInput("image", name, "a file that exists") from None
    except PermissionError:
        raise BadInput("image", name, "a file that may be read; this one may not be read by you") from None
    except (OSError, ValueError) as error:
        raise BadInput("image", name, f"a file that can be read ({error})") from error


def check_kind(data: bytes, name: str) -> None:
    """Raises BadInput unless the first bytes are those of a format we open."""
    if len(data) > MOST_BYTES:
        raise BadInput("image", name, _NOT_LARGER)
    if not data:
        raise BadInput("image", name, f"{_ALLOWED}; this file is empty")
    if kind_of(data) == "":
        raise BadInput("image", name, f"{_ALLOWED}; this is something else")


def kind_of(data: bytes) -> str:
    """`png`, `jpeg`, `webp` or nothing, by the first bytes."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def _read_head(answers: IO[bytes], name: str) -> dict[str, Any]:
    """What the worker says is checked as if a stranger said it."""
    length = struct.unpack(">I", _exactly(answers, 4))[0]
    if length > 1000:
        raise ValueError("an answer of that length is none")
    head = json.loads(_exactly(answers, length))
    if not isinstance(head, dict):
        raise ValueError("an answer of that kind is none")
    if "error" in head:
        raise BadInput("image", name, _REASONS.get(str(head["error"]), _REASONS["unreadable"]))
    width, height = head.get("width"), head.get("height")
    if not isinstance(width, int) or not isinstance(height, int) or not 0 < width * height <= MOST_PIXELS or width < 1:
        raise ValueError("a picture of that size is none")
    return head


def _read_picture(answers: IO[bytes], head: dict[str, Any]) -> Picture:
    width, height = head["width"], head["height"]
    rgb = _exactly(answers, width * height * 3)
    alpha = _exactly(answers, width * height) if head.get("alpha") else None
    return Picture(width=width, height=height, rgb=rgb, alpha=alpha)


def _read_fingerprint(_: IO[bytes], head: dict[str, Any]) -> Fingerprint:
    sha256 = head.get("sha256")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError("a hash like that is none")
    return Fingerprint(width=head["width"], height=head["height"], pixels_sha256=sha256)


def _exactly(answers: IO[bytes], size: int) -> bytes:
    data = answers.read(size)
    if len(data) != size:
        raise EOFError("the worker ended")
    return data
