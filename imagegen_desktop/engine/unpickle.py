"""The throw-away process that turns a pickle into safetensors; whatever the file tries, only this process is lost.

Run as a script by `weights/convert.py` in Python's isolated mode (standard library, torch and safetensors only).
Arguments: the file, the file to write. Prints one line of JSON: {"tensors": count} or {"error": kind, "detail": text}.
The doors are closed in this order: network, then torch is imported, then memory, time, files, programs, sockets.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import Any

MOST_TENSORS = 60_000
_MOST_DEEP = 6
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000

#: What a checkpoint keeps its weights under, if not at the top.
_WRAPPERS = ("state_dict", "params_ema", "params", "model_state_dict", "module")

_FORBIDDEN_EVENTS = frozenset({
    "pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
    "os.spawn", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "ctypes.dlopen",
    "os.remove", "os.rename", "os.chmod", "os.symlink", "os.link", "shutil.rmtree", "webbrowser.open",
})  # fmt: skip


def main() -> int:
    source, target = sys.argv[1:3]
    leave_network()
    import safetensors.torch  # before the doors close: these are ours, and many files
    import torch

    torch.set_num_threads(1)
    close_doors(source, os.path.dirname(target))
    sys.addaudithook(_tripwire)
    return _answer(source, target, torch, safetensors.torch.save_file)


def _answer(source: str, target: str, torch: Any, save_file: Any) -> int:
    try:
        with open(source, "rb") as file:  # by its name torch would believe a pickle to be safetensors
            found = torch.load(file, map_location="cpu", weights_only=True, mmap=False)
        tensors = dict(_tensors(_unwrapped(found), torch))
        if not tensors:
            return _say(error="empty", detail="there is no tensor in it")
        save_file(tensors, target, metadata={"format": "pt"})
    except MemoryError:
        return _say(error="memory", detail="it asks for more memory than a file of its size needs")
    except BaseException as error:  # noqa: BLE001  whatever a stranger's file makes happen is said to the parent
        return _say(error="refused", detail=_reason(error))
    return _say(tensors=len(tensors))


def _unwrapped(found: Any) -> Any:
    """The table of weights: an old embedding's vectors, what a trainer wrapped, or the whole."""
    if isinstance(found, Mapping):
        vectors = found.get("string_to_param")
        if isinstance(vectors, Mapping) and len(vectors) == 1:
            return {"emb_params": next(iter(vectors.values()))}
        for wrapper in _WRAPPERS:
            if isinstance(found.get(wrapper), Mapping):
                return found[wrapper]
    return found


def _tensors(found: Any, torch: Any, prefix: str = "", deep: int = 0) -> Iterator[tuple[str, Any]]:
    """Every tensor by its dotted name, with memory of its own; everything else is left behind."""
    if isinstance(found, torch.Tensor):
        if found.layout is not torch.strided or found.is_quantized:
            raise ValueError(f"its tensor {prefix} is sparse or quantized")
        yield prefix, found.detach().clone(memory_format=torch.contiguous_format)
    elif isinstance(found, Mapping) and deep < _MOST_DEEP:
        if len(found) > MOST_TENSORS:
            raise ValueError(f"it lists more than {MOST_TENSORS} entries")
        for name, value in found.items():
            if isinstance(name, str):
                yield from _tensors(value, torch, f"{prefix}.{name}" if prefix else name, deep + 1)


def _reason(error: BaseException) -> str:
    """One line, and of torch's long explanation the part that says what the file asked for."""
    text = str(error)
    asked = re.search(r"(?:unsupported GLOBAL|Unsupported global: GLOBAL) ([\w.]+)", text)
    if asked:
        return f"it asks for {asked[1]}, which is no tensor"
    if "Unsupported operand" in text or "Weights only load failed" in text:
        return "it is no plain table of tensors"
    first = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    return "".join(letter if letter.isprintable() else "?" for letter in first)[:200]


def _say(**said: object) -> int:
    print(json.dumps(said), flush=True)  # noqa: T201  the answer's one line
    return 0 if "tensors" in said else 1


def _tripwire(event: str, _: object) -> None:
    if event in _FORBIDDEN_EVENTS:
        raise PermissionError(f"it tried {event}")


def close_doors(source: str, folder: str) -> None:
    """From here on this process may read `source` and our libraries, write below `folder`, and little else."""
    _limit(os.path.getsize(source))
    _restrict_files(source, folder)
    _restrict_calls()


def leave_network() -> None:
    """A network of its own without any interface, where the system lets us."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.unshare(_CLONE_NEWNET):
            library.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _limit(size: int) -> None:
    """Memory, time, files: what converting a file of `size` bytes takes, and a little more."""
    if sys.platform == "win32":
        return
    import resource

    with open("/proc/self/statm", encoding="ascii") if sys.platform == "linux" else open(os.devnull) as file:
        pages = file.read().split()
    mapped = int(pages[0]) * resource.getpagesize() if pages else 64 * 2**30
    limits = {
        resource.RLIMIT_AS: mapped + 3 * size + 2**30,
        resource.RLIMIT_FSIZE: 2 * size + 64 * 2**20,
        resource.RLIMIT_CPU: 60 + size // (20 * 2**20),
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))


def _restrict_files(source: str, folder: str) -> None:
    """Landlock (Linux 5.13+): our libraries and the file may be read, only `folder` may be written."""
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None, use_errno=True)
    every, reading = (1 << 13) - 1, 1 << 2 | 1 << 3
    library.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    ruleset = library.syscall(444, ctypes.create_string_buffer(struct.pack("Q", every)), 8, 0)
    if ruleset < 0:
        return
    readable = {sys.prefix, sys.base_prefix, *sys.path, "/usr/lib", "/lib", "/lib64", "/proc/self", "/sys", "/dev/null"}
    rules = {path: reading for path in readable if os.path.exists(path)} | {source: 1 << 2, folder: every}
    for path, access in rules.items():
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = access if os.path.isdir(path) else access & (1 << 1 | 1 << 2)
        library.syscall(445, ruleset, 1, ctypes.create_string_buffer(struct.pack("=Qi", allowed, descriptor)), 0)
        os.close(descriptor)
    library.syscall(446, ruleset, 0)
    os.close(ruleset)


#: System call numbers of socket, connect, bind, sendto, execve, execveat, fork, vfork, ptrace; of clone.
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 44, 59, 322, 57, 58, 101), 56),
    "aarch64": (0xC00000B7, (198, 203, 200, 206, 221, 281, 117), 220),
}
_CLONE_THREAD = 0x00010000


def _restrict_calls() -> None:
    """seccomp: no sockets, no other programs, no other processes; each attempt ends in an error."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return
    architecture, calls, clone = _CALLS[platform.machine()]
    allow, deny, kill = (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x80000000)
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, architecture), kill, (0x20, 0, 0, 0)]
    for number in calls:
        program += [(0x15, 0, 1, number), deny]
    program += [(0x15, 0, 3, clone), (0x20, 0, 0, 16), (0x45, 1, 0, _CLONE_THREAD), deny, allow]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    rules = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(filters)))
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(38, 1, 0, 0, 0)
    library.prctl(22, 2, rules, 0, 0)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


if __name__ == "__main__":
    raise SystemExit(main())
