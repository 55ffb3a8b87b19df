"""Files and folders nobody should open: each would leave a canary file, or lies about what it holds."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import runpy
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.weights.headers import gguf, safetensors

Build = Callable[[Path, Path], Path]


class _Call:
    """Unpickles into a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def payloads(canary: Path) -> dict[str, bytes]:
    """Pickles that would leave the canary, by how."""
    touch, code = f"touch {canary}", f"open({str(canary)!r}, 'w').close()"
    system = _Call(os.system, touch)
    return {
        "system": pickle.dumps(system),
        "exec": pickle.dumps(_Call(exec, code)),
        "eval": pickle.dumps(_Call(eval, f"__import__('os').system({touch!r})")),
        "runpy": pickle.dumps(_Call(runpy.run_path, str(canary) + ".py")),
        "protocol-0": pickle.dumps(system, protocol=0),
        "protocol-1": pickle.dumps(system, protocol=1),
        "protocol-2": pickle.dumps(system, protocol=2),
        "stack-global": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c"
        + bytes([len(touch)])
        + touch.encode()
        + b"\x85R.",
        "text": f"cos\nsystem\n(S'{touch}'\ntR.".encode(),
        "in-a-table": pickle.dumps({"state_dict": {"weight": system}}),
        "after-a-pickle": pickle.dumps({"weight": 1}) + pickle.dumps(system),
        "connects": pickle.dumps(_Call(__import__("urllib.request").request.urlopen, "http://127.0.0.1:9/")),
    }


def zipped(data: bytes, name: str = "archive/data.pkl", **options: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        archive.writestr(name, data)
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


def tarred(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("pickle")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def pickled_files(canary: Path) -> dict[str, bytes]:
    """File name → content; the names lie as such names do."""
    all_of_them = payloads(canary)
    system = all_of_them["system"]
    whole = zipped(system)
    endings = (".ckpt", ".pt", ".pth", ".bin", ".safetensors", ".SAFETENSORS")
    found = {f"{way}{endings[place % len(endings)]}": data for place, (way, data) in enumerate(all_of_them.items())}
    return found | {
        "renamed.gguf": system,
        "renamed.png": system,
        "no-ending": system,
        "archive.pt": whole,
        "archive.safetensors": whole,
        "archive.SafeTensors": whole,
        "nested.ckpt": zipped(whole, "archive/inner.zip"),
        "compressed.pth": zipped(system, compression=zipfile.ZIP_DEFLATED),
        "bad-crc.pt": whole.replace(system[:4], system[:3] + b"\0", 1),
        "flipped-flags.pt": whole[:6] + b"\x01\x08" + whole[8:],
        "bomb.pt": zipped(b"\0" * 2**22, compression=zipfile.ZIP_DEFLATED),
        "climbing.zip": zipped(system, "../../outside.pkl"),
        "legacy.tar": tarred(system),
        "legacy.safetensors": tarred(system),
        "squeezed.ckpt": gzip.compress(system),
        "seven.safetensors": b"7z\xbc\xaf\x27\x1c" + system,
        "hdf5.safetensors": b"\x89HDF\r\n\x1a\n" + system,
        "shaders.metallib": b"MTLB" + bytes(64),
        "page.safetensors": b"<!DOCTYPE html><html>please log in</html>",
        "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "program.safetensors": b"\x7fELF" + bytes(64),
        "script.bin": f"#!/bin/sh\ntouch {canary}\n".encode(),
        "empty.safetensors": b"",
    }


def lying_safetensors() -> dict[str, tuple[bytes, str]]:
    """Name → content and a word of the reason."""
    one = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}

    def changed(**values: object) -> bytes:
        return safetensors({"a": one | values}, 8)

    return {
        "too-short": (b"\x01\0\0", "short"),
        "header-of-exabytes": (struct.pack("<Q", 2**63) + b"{}", "claims"),
        "header-past-the-end": (struct.pack("<Q", 10_000) + b'{"a":1}', "cut off"),
        "no-json": (struct.pack("<Q", 8) + b"{nonsens", "JSON"),
        "a-list": (struct.pack("<Q", 2) + b"[]", "table"),
        "deep": (struct.pack("<Q", 200_005) + b'{"a":' + b"[" * 200_000, "JSON"),
        "twice": (safetensors(b'{"a":%s,"a":%s}' % ((json.dumps(one).encode(),) * 2), 8), "JSON"),
        "no-tensors": (safetensors({}, 0), "0 tensors"),
        "unknown-type": (changed(dtype="PICKLE"), "unknown type"),
        "negative-shape": (changed(shape=[-2]), "shape"),
        "overflowing-shape": (changed(shape=[2**40, 2**40]), "shape"),
        "shape-that-lies": (changed(shape=[3]), "bytes of its shape"),
        "offsets-past-the-end": (changed(shape=[2000], data_offsets=[0, 8000]), "cut off"),
        "offsets-backwards": (changed(data_offsets=[8, 0]), "nowhere"),
        "overlap": (safetensors({"a": one, "b": one | {"data_offsets": [4, 12]}}, 12), "overlap"),
        "gap": (safetensors({"a": one, "b": one | {"data_offsets": [16, 24]}}, 24), "gap"),
        "something-behind": (safetensors({"a": one}, 8) + pickle.dumps("hidden"), "belong to nothing"),
        "truth-for-a-number": (changed(shape=[True, 2]), "shape"),
        "metadata-of-numbers": (safetensors({"__metadata__": {"format": 3}, "a": one}, 8), "metadata"),
        "a-name-of-kilobytes": (safetensors({"a" * 5000: one}, 8), "name"),
        "infinite": (safetensors(b'{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}', 8), "shape"),
    }


def lying_gguf() -> dict[str, tuple[bytes, str]]:
    sound = gguf({"a": (32, 2)})
    return {
        "version": (sound[:4] + struct.pack("<I", 99) + sound[8:], "version"),
        "tensors-without-end": (sound[:8] + struct.pack("<Q", 2**60) + sound[16:], "tensors"),
        "facts-without-end": (sound[:16] + struct.pack("<Q", 2**60) + sound[24:], "facts"),
        "name-of-terabytes": (sound[:24] + struct.pack("<Q", 2**42) + sound[32:], "claims"),
        "tensor-larger-than-the-file": (gguf({"a": (32, 2**30)}, data=64), "missing"),
        "offset-past-the-end": (gguf({"a": (32, 2)}, offset=2**40), "apart"),
        "unknown-tensor-type": (gguf({"a": (32, 2)}, kind=77), "unknown type"),
        "nine-dimensions": (gguf({"a": (1,) * 9}), "dimensions"),
        "nested-arrays": (gguf({"a": (32,)}, facts=[("x", 9, struct.pack("<IQ", 9, 4))]), "arrays"),
        "array-of-exabytes": (gguf({"a": (32,)}, facts=[("x", 9, struct.pack("<IQ", 0, 2**60))]), "claims"),
        "alignment-of-3": (gguf({"a": (32,)}, facts=[("general.alignment", 4, struct.pack("<I", 3))]), "alignment"),
        "cut-off": (sound[:-40], "missing"),
    }
