"""The engine as a process: its private pipe, its tie to the parent, its memory. Standard library only."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from ..protocol.framing import Stream
from ..protocol.messages import Channel

_PR_SET_PDEATHSIG = 1
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DIFFUSERS_DISABLE_REMOTE_CODE": "1",
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}

_FORBIDDEN = frozenset({"pickle.find_class", "os.system", "os.exec", "socket.connect", "socket.bind"})


def private_channel() -> Channel:
    """Moves the protocol away from stdin and stdout, so that a stray print or read cannot touch it."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        for file in (incoming, outgoing):
            msvcrt.setmode(file, os.O_BINARY)
    return Channel(Stream(os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")))


def stay_closed() -> None:
    """The last door, should a model file ever get past the checks: no unpickling, no shell, no connection."""

    def forbid(event: str, _: object) -> None:
        if event in _FORBIDDEN:
            raise PermissionError(f"the engine does not do that ({event})")

    sys.addaudithook(forbid)


def stay_offline() -> None:
    """Before the libraries are imported: no hub, no remote code, no chatter."""
    os.environ.update(_OFFLINE)


def die_with_parent() -> None:
    """On Linux the kernel ends us with the thread that started us, and us first when memory runs out."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        Path("/proc/self/oom_score_adj").write_text("500")
    except OSError:
        pass


def resident_bytes() -> int:
    """Memory this process occupies, in bytes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def available_bytes() -> int:
    """Memory that may still be taken without swapping, in bytes; 0 where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return kilobytes[0] * 1024 if kilobytes else 0


def installed_bytes() -> int:
    """Memory of the machine, in bytes; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 0


def return_freed_memory() -> None:
    """Hands freed heap back to the system, which glibc otherwise keeps."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
