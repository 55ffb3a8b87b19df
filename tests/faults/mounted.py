"""File systems of our own, to be filled or switched off: where this process may mount them."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: EXT4_IOC_SHUTDOWN is _IOR('X', 125, u32); 2 drops what the journal had not written yet, as a power cut does.
_SHUTDOWN = (2 << 30) | (4 << 16) | (ord("X") << 8) | 125
_NO_LOG_FLUSH = struct.pack("I", 2)


def _mount(*options: str) -> None:
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@contextmanager
def memory(folder: Path, size: str) -> Iterator[Path]:
    """A file system of that size in memory."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    """Changes a mounted file system: `size=64m`, `ro`, `rw`."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True, capture_output=True)


class Disk:
    """An ext4 in a file, whose power can be cut."""

    def __init__(self, folder: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("mounting needs root")
        if shutil.which("mkfs.ext4") is None:
            pytest.skip("mkfs.ext4 is not installed")
        self.folder = folder
        self._file = folder.with_suffix(".ext4")
        folder.mkdir()

    def make(self) -> None:
        with self._file.open("wb") as file:
            file.truncate(96 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self._file)], check=True)
        self.mount()

    def mount(self) -> None:
        _mount("-o", "loop", str(self._file), str(self.folder))

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)

    def remove(self) -> None:
        self._file.unlink()

    def cut_the_power(self) -> None:
        """What was not on the disk is gone; everything after fails."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _NO_LOG_FLUSH)
        except OSError as error:
            pytest.skip(f"this kernel cannot switch a file system off: {error}")
        finally:
            os.close(descriptor)
