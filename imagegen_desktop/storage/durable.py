"""Writes a file so that after a power cut it is whole or not there, and never over another one unasked.

The order is: a `.part` beside the target, fsync, rename without overwriting, fsync of the folder.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..domain.errors import BadInput, DiskProblem
from ..paths import sync_folder

PART = ".part"

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_NOT_OFFERED = {errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP}


def write_durably(path: Path, data: bytes, overwrite: bool = False) -> None:
    """Writes `data` to `path`; raises DiskProblem, or BadInput when it exists and may not be overwritten."""
    if not write_to_free_name([path], data, overwrite):
        raise BadInput("output file", str(path), "a file that is not there yet, or ask to overwrite it")


def write_to_free_name(candidates: Iterable[Path], data: bytes, overwrite: bool = False) -> Path | None:
    """Writes `data` under the first candidate (all in one folder) that is free; None when none is."""
    part: Path | None = None
    try:
        for path in candidates:
            with disk_problems(path.parent, len(data)):
                make_folder(path.parent)
                part = part or _write_part(path, data)
                if overwrite:
                    part.replace(path)
                elif not rename_without_overwriting(part, path):
                    continue
                part = None
                sync_folder(path.parent)
                return path
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return None


@contextmanager
def disk_problems(folder: Path, needed: int) -> Iterator[None]:
    """Turns what the system says about a folder into a DiskProblem with the folder and the bytes needed."""
    try:
        yield
    except OSError as error:
        raise _disk_problem(error, folder, needed) from error


def _disk_problem(error: OSError, folder: Path, needed: int) -> DiskProblem:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        advice = f"Free at least {needed:,} bytes there, or choose another folder."
        return DiskProblem(f"There is no space left in {folder}; {needed:,} bytes are needed.", advice)
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return DiskProblem(f"The folder {folder} cannot be written.", "Make it writable, or choose another folder.")
    if error.errno == errno.EIO:
        return DiskProblem(f"The disk of {folder} is failing.", "Save your images to another disk and check this one.")
    reason = error.strerror or str(error)
    return DiskProblem(f"{folder} cannot take a file of {needed:,} bytes: {reason}.", "Choose another folder.")


def _write_part(path: Path, data: bytes) -> Path:
    """A synced `.part`; bytes the disk would not take are written once more to a new file, then it is final."""
    try:
        return _write_new(path, data)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return _write_new(path, data)


def _write_new(path: Path, data: bytes) -> Path:
    part, descriptor = _create_part(path)
    try:
        _lock(descriptor)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        _sync(descriptor)
    except BaseException:
        os.close(descriptor)
        part.unlink(missing_ok=True)
        raise
    os.close(descriptor)
    return part


def _create_part(path: Path) -> tuple[Path, int]:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    for attempt in range(1000):
        part = path.with_name(f"{path.name}{f'.{attempt}' if attempt else ''}{PART}")
        with suppress(FileExistsError):
            return part, os.open(part, flags, 0o644)
    raise FileExistsError(errno.EEXIST, "too many unfinished files", str(path))


def _lock(descriptor: int) -> None:
    """Says to a sweep that somebody is writing; the system lets go when the writer dies."""
    if sys.platform != "win32":
        import fcntl

        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, their names durable too."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def rename_without_overwriting(source: Path, target: Path) -> bool:
    """Renames unless `target` exists; False if it does. One step for the file system wherever it offers that."""
    try:
        _rename(source, target)
    except FileExistsError:
        return False
    return True


def _rename(source: Path, target: Path) -> None:
    if sys.platform == "win32":
        source.rename(target)  # refuses to overwrite there
        return
    if sys.platform == "linux" and _renameat2(source, target):
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # no links here: reserve the name, then take it
        source.replace(target)
        return
    source.unlink()


def _renameat2(source: Path, target: Path) -> bool:
    """False where the C library, kernel or file system does not have the call."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_OFFERED:
        return False
    raise OSError(code, os.strerror(code), str(target))
