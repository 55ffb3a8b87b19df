"""HubModel: what a model hub says about a model before a byte of it is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from .errors import BadInput

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_PAGE = re.compile(r"https://(?:huggingface\.co|hf\.co)/([^/?#]+/[^/?#]+)(?:/(?:tree|blob|resolve)/([^/?#]+)/?(.*))?")
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,199}", re.ASCII)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """One file: size in bytes, and its SHA-256 where the hub keeps it as a large file, else its git blob's SHA-1."""

    path: str
    size: int
    sha256: str = ""
    blob: str = ""

    @property
    def checkable(self) -> bool:
        return bool(self.sha256 or self.blob)


@dataclass(frozen=True, kw_only=True)
class HubModel:
    """A model at one commit. `gated` means that its makers want their licence accepted on `page` first."""

    id: str
    revision: str
    page: str
    files: tuple[HubFile, ...]
    licence: str = ""
    gated: bool = False

    def file(self, path: str) -> HubFile | None:
        return next((file for file in self.files if file.path == path), None)


@dataclass(frozen=True, kw_only=True)
class HubAddress:
    """What was asked for: a model, maybe at a revision, maybe one file of it."""

    id: str
    revision: str = ""
    file: str = ""


def hub_address(text: str, revision: str | None = None, file: str | None = None) -> HubAddress:
    """From OWNER/NAME or the address of a page of the hub; raises BadInput."""
    page = _PAGE.fullmatch(text.strip())
    found = HubAddress(id=text.strip())
    if page is not None:
        found = HubAddress(id=page[1], revision=page[2] or "", file=(page[3] or "").split("?")[0])
    asked, wanted = revision or found.revision, file or found.file
    if not _ID.fullmatch(found.id) or ".." in found.id or "--" in found.id:
        raise BadInput("model ID", text, "OWNER/NAME as the hub shows it, such as stabilityai/sdxl-turbo")
    if asked and (not _REVISION.fullmatch(asked) or ".." in asked):
        raise BadInput("revision", asked, "a branch, a tag or a commit of the model")
    if wanted and not safe_path(wanted):
        raise BadInput("file", wanted, "a file of the model, as the hub lists it")
    return HubAddress(id=found.id, revision=asked, file=wanted)


def safe_path(path: str) -> bool:
    """Whether a name from the hub may become a name on any disk: relative, plain, nothing hidden, nothing reserved."""
    parts = path.split("/")
    plain = path.isprintable() and not set(path) & set('\\:*?"<>|') and len(path.encode("utf-8", "replace")) <= 400
    whole = all(part and not part.startswith(".") and not part.endswith((".", " ")) for part in parts)
    return plain and whole and len(parts) <= 8 and not any(_RESERVED.fullmatch(part) for part in parts)


def suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
