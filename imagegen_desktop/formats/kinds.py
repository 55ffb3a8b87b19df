"""What kind of file is this? Told by its first bytes; its name is believed by nobody."""

from __future__ import annotations

import re
from pathlib import Path

from ..domain.errors import ModelProblem
from .files import open_regular

SAFETENSORS, GGUF, PICKLE, ZIP, TAR = "safetensors", "gguf", "pickle", "zip", "tar"

#: What can carry a pickle; opened by the converter's sandbox only.
PICKLED = (PICKLE, ZIP, TAR)

_PICKLE_SUFFIXES = (".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle")
_LONGEST_HEADER_LENGTH = b"\0\0\0\0"

_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"MTLB", "a Metal library, which holds compiled shaders and no weights", "Look for the model's weights."),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Look for the model as safetensors."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it, and add what is inside."),
    (b"Rar!\x1a\x07", "a RAR archive", "Unpack it, and add what is inside."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it, and add what is inside."),
    (b"BZh", "a bzip2 archive", "Unpack it, and add what is inside."),
    (b"\xfd7zXZ\0", "an xz archive", "Unpack it, and add what is inside."),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it, and add what is inside."),
    (b"\x93NUMPY", "a NumPy array", "Look for the model as safetensors."),
    (b"\x7fELF", "a program", "It is not opened."),
    (b"MZ", "a program", "It is not opened."),
    (b"#!", "a script", "It is not opened."),
    (b"version https://git-lfs", "a Git LFS pointer; the weights themselves were not downloaded",
     "Download the file itself (`git lfs pull`)."),
    (b"<!DOCTYPE", "a web page", "Download the model again; the site may want you to log in first."),
    (b"<!doctype", "a web page", "Download the model again; the site may want you to log in first."),
    (b"<html", "a web page", "Download the model again; the site may want you to log in first."),
    (b"\x89PNG\r\n\x1a\n", "a picture", "Drop pictures on the canvas."),
    (b"\xff\xd8\xff", "a picture", "Drop pictures on the canvas."),
)  # fmt: skip

#: How a pickle of the old text protocols begins: an opcode and a module's name, or a container.
_TEXT_PICKLE = re.compile(rb"(c[A-Za-z_][\w.]*\n|\(?[\(\[\]\}l d]*c[a-z_][\w.]*\n|\(lp\d|\(dp\d|\(i[a-z_])")


def kind_of(path: Path) -> str:
    """One of SAFETENSORS, GGUF, PICKLE, ZIP, TAR; raises ModelProblem naming what else it is, with the remedy."""
    with open_regular(path) as (file, _):
        head = file.read(600)
    name = path.name
    if not head:
        raise ModelProblem(f"{name} is empty.", "Copy or download it again.")
    if kind := _known(head):
        return kind
    for start, title, remedy in _OTHERS:
        if head.startswith(start):
            raise ModelProblem(f"{name} is {title}.", remedy)
    suffix = path.suffix.lower()
    if suffix in (".safetensors", ".gguf"):  # its reader can say what is wrong with it
        return suffix[1:]
    remedy = "Models are safetensors or GGUF files, or diffusers folders."
    raise ModelProblem(f"{name} is no model file: it begins as nothing this program knows.", remedy)


def refuse_pickle(path: Path, kind: str) -> None:
    """Raises ModelProblem when the file can carry a pickle."""
    if kind in PICKLED:
        holder = {PICKLE: "a pickle", ZIP: "a zip archive", TAR: "a tar archive"}[kind]
        raise ModelProblem(
            f"{path.name} is {holder}, which could run a stranger's program when it is opened; it stays closed.",
            "Convert it into a safetensors file: `models convert PATH`.",
        )


def looks_like_weights(name: str) -> bool:
    """Whether a file of that name could be somebody's model."""
    return name.lower().endswith((".safetensors", ".gguf", *_PICKLE_SUFFIXES))


def is_pickle_name(name: str) -> bool:
    return name.lower().endswith(_PICKLE_SUFFIXES)


def _known(head: bytes) -> str:
    if head[8:9] == b"{" and head[4:8] == _LONGEST_HEADER_LENGTH:
        return SAFETENSORS
    if head.startswith(b"GGUF"):
        return GGUF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK")):
        return ZIP
    if head[257:262] == b"ustar" or head.startswith((b"pickle\0", b"tensors\0", b"storages\0", b"sys_info\0")):
        return TAR
    if len(head) > 1 and head[0] == 0x80 and 1 <= head[1] <= 10:
        return PICKLE
    return PICKLE if _TEXT_PICKLE.match(head) else ""
