"""Pickle → safetensors, in a throw-away process with nothing to lose; this program never opens the pickle itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..domain.errors import ModelProblem
from ..formats.files import open_regular
from ..formats.folder import INDEX
from ..formats.kinds import TAR, is_pickle_name, kind_of
from ..formats.safetensors import read_safetensors

SECONDS = 60.0
_BYTES_A_SECOND = 20 * 2**20
_KEPT_VARIABLES = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_STAYS = "It stays closed; ask for the model as safetensors."

#: On macOS the system's own sandbox; elsewhere the process closes its doors itself.
_MAC_PROFILE = '(version 1)(allow default)(deny network*)(deny file-write*)(allow file-write* (subpath "{folder}"))'


def worker_command() -> list[str]:
    """How the process is started from source; a frozen program passes its own command."""
    script = Path(__file__).parent.parent / "engine" / "unpickle.py"
    return [sys.executable, "-I", "-B", str(script)]


@contextmanager
def converted(path: Path, folder: Path, command: Sequence[str] = ()) -> Iterator[Path]:
    """A checked safetensors file with the pickle's tensors, in a folder of its own below `folder` while it is open.

    Raises ModelProblem with the reason when the file asks for anything but tensors, and for every other trouble.
    """
    with open_regular(path) as (_, size):
        pass
    if kind_of(path) == TAR:
        raise ModelProblem(f"{path.name} is a tar archive, as torch wrote them before 2017; it is not read.", _STAYS)
    free = shutil.disk_usage(folder).free
    if free < size + 2**26:
        raise ModelProblem(f"{folder} has {free} bytes free; {size} are needed.", "Free some space.")
    place = Path(tempfile.mkdtemp(prefix=".convert-", dir=folder))
    try:
        target = place / "model.safetensors"
        tensors = _run([*(command or worker_command()), str(path.resolve()), str(target)], place, path.name, size)
        header = read_safetensors(target)
        if len(header.tensors) != tensors:
            raise ModelProblem(f"{path.name} could not be converted completely.", _STAYS)
        yield target
    finally:
        shutil.rmtree(place, ignore_errors=True)


def pickles_in(folder: Path) -> dict[Path, Path]:
    """Of a diffusers folder: each pickle without safetensors beside it → the file it becomes."""
    found: dict[Path, Path] = {}
    for file in sorted(folder.rglob("*")) if (folder / INDEX).is_file() else ():
        beside = any(each.suffix.lower() == ".safetensors" for each in file.parent.iterdir())
        if is_pickle_name(file.name) and file.is_file() and not beside:
            found[file] = file.with_name(file.stem.replace("pytorch_model", "model", 1) + ".safetensors")
            if file.stem.startswith("diffusion_pytorch_model"):
                found[file] = file.with_suffix(".safetensors")
    return found


def _run(command: list[str], place: Path, name: str, size: int) -> int:
    """The number of tensors that were written."""
    if sys.platform == "darwin":
        command = ["sandbox-exec", "-p", _MAC_PROFILE.format(folder=place), *command]
    environment = {key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ}
    environment |= {"HOME": str(place), "TMPDIR": str(place), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS + size / _BYTES_A_SECOND,
            close_fds=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        raise ModelProblem(f"{name} took too long to convert.", _STAYS) from None
    return _count(done.stdout, name)


def _count(answer: bytes, name: str) -> int:
    """What the process says is checked as if a stranger said it."""
    try:
        said = json.loads(answer[:4096])
        tensors, detail = said.get("tensors"), str(said.get("detail", ""))
    except (ValueError, AttributeError, RecursionError):
        raise ModelProblem(f"{name} broke the process that tried to convert it.", _STAYS) from None
    if isinstance(tensors, int) and not isinstance(tensors, bool):
        return tensors
    shown = "".join(letter if letter.isprintable() else "?" for letter in detail)[:200]
    raise ModelProblem(f"{name} is not converted: {shown or 'it cannot be read'}.", _STAYS)
