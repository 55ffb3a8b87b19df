"""DownloadJournal: what a download is to become, kept beside what was received, so that any process can go on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..domain.download import Download, DownloadState
from ..domain.errors import Problem
from ..domain.hub_model import HubFile, HubModel, safe_path
from ..domain.hub_selection import Selection
from ..storage.durable import PART
from ..storage.staging import Staging

CARD_FILE = "card.json"


@dataclass(kw_only=True)
class DownloadJournal:
    """`name` is what its folder or file will be called; `etags` which version of a file its first bytes belong to;
    `state` is WAITING while it is wished for, PAUSED or FAILED else."""

    model: HubModel
    selection: Selection
    name: str
    state: DownloadState = DownloadState.WAITING
    error: dict[str, str] | None = None
    etags: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names the download on this machine: the same model (and file) is fetched once at a time."""
        single = hashlib.sha256(self.selection.single.encode()).hexdigest()[:12] if self.selection.single else ""
        return self.model.id.replace("/", "--") + (f"--{single}" if single else "")

    def write(self, staging: Staging) -> None:
        """Makes it durable; raises DiskProblem."""
        staging.write(
            {
                "model": asdict(self.model) | {"files": []},
                "files": [asdict(file) for file in self.selection.files],
                "single": self.selection.single,
                "name": self.name,
                "state": self.state.value,
                "error": self.error,
                "etags": self.etags,
            }
        )

    def described(self, staging: Staging) -> Download:
        """As it lies on disk."""
        received = sum(staging.received(file.path, file.size) for file in self.selection.files)
        return Download(
            key=self.key,
            id=self.model.id,
            title=self.name,
            revision=self.model.revision,
            state=self.state,
            size=self.selection.size,
            received=received,
            error=self.error,
        )

    def keep_same(self, former: DownloadJournal, staging: Staging) -> None:
        """Takes over what an earlier revision received of files that are the same now, and drops the rest."""
        now = {file.path: file for file in self.selection.files}
        for file in former.selection.files:
            if now.get(file.path) == file:
                self.etags |= {file.path: former.etags[file.path]} if file.path in former.etags else {}
            else:
                for name in (file.path, file.path + PART):
                    staging.path(name).unlink(missing_ok=True)

    def install(self, staging: Staging, root: Path) -> Path:
        """Puts the whole model into place, with a note on where it is from; raises DiskProblem."""
        if not self.selection.single:
            card = {"name": self.name, "licence": self.model.licence, "source": self._source()}
            staging.add(CARD_FILE, json.dumps(card, indent=1).encode())
        return staging.install(root, self.name, self.selection.single)

    def installed(self, root: Path) -> Path | None:
        """Where the very same model lies already."""
        if self.selection.single:
            place = root / self.name
            return place if place.is_file() and place.stat().st_size == self.selection.size else None
        for card in root.glob(f"*/{CARD_FILE}"):
            try:
                if json.loads(card.read_bytes()).get("source") == self._source():
                    return card.parent
            except (OSError, ValueError, AttributeError):
                continue
        return None

    def _source(self) -> dict[str, str]:
        return {"id": self.model.id, "revision": self.model.revision}


def journal_for(model: HubModel, selection: Selection) -> DownloadJournal:
    """A new one; a model is called as on the hub, a single file by its own name."""
    return DownloadJournal(model=model, selection=selection, name=PurePosixPath(selection.single or model.id).name)


def read_journal(staging: Staging) -> DownloadJournal | None:
    """What was written last; None when there is nothing, or nothing that could have come from us."""
    found = staging.read()
    try:
        files = tuple(HubFile(**file) for file in found["files"])
        name = str(found["name"])
        if not all(safe_path(file.path) and file.size >= 0 and file.checkable for file in files):
            return None
        if not safe_path(name) or "/" in name:
            return None
        return DownloadJournal(
            model=HubModel(**(found["model"] | {"files": files})),
            selection=Selection(files=files, single=found["single"]),
            name=name,
            state=DownloadState(found["state"]),
            error=_error(found["error"]),
            etags={str(path): str(etag) for path, etag in found["etags"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _error(found: Any) -> dict[str, str] | None:
    return None if found is None else Problem(found["message"], found["advice"]).as_dict() | {"kind": found["kind"]}
