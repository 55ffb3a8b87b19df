"""Kits: our configs and the tokenizers of open models, which single-file models need; fetched once and kept."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ..domain.errors import BadInput, ModelProblem
from ..domain.hub_selection import tokenizer_files
from ..storage.durable import disk_problems, make_folder
from ..storage.staging import Staging
from ..weights.kits import is_complete
from .announce import Announcer, ModelsChanged
from .downloads import HIDDEN
from .model_library import KITS

if TYPE_CHECKING:
    from ..providers.hub import Hub


class KitFetcher:
    """`shipped` holds our own configs by family; `sources` the file that says where the rest comes from."""

    def __init__(
        self,
        hub: Callable[[], Hub],
        models: Path,
        shipped: Path,
        sources: Path,
        announce: Announcer,
        found: Callable[[], object],
    ) -> None:
        self._hub = hub
        self._models = models
        self._shipped = shipped
        self._sources: Mapping[str, Mapping[str, str]] = tomllib.loads(sources.read_text(encoding="utf-8"))
        self._announce = announce
        self._found = found

    def families(self) -> frozenset[str]:
        """Those whose kit can be fetched."""
        return frozenset(family for family in self._sources if (self._shipped / family).is_dir())

    def fetch(self, family: str) -> Path:
        """Fetches the kit of a family and puts it into place whole; raises a Problem. Takes as long as the network."""
        if family not in self.families():
            raise BadInput("family", family, "one of " + ", ".join(sorted(self.families())))
        root, target = self._models / HIDDEN / f"kit-{family}", self._models / KITS
        staging = Staging(root / "kit")
        with staging.alone() as alone:
            if not alone:
                raise ModelProblem(f"The kit of {family} is being fetched already.", "Wait for it.")
            self._fill(staging, family, root)
            if not is_complete(staging.path(".")):
                raise ModelProblem(f"What the hub has for {family} is not complete.", "Try again later.")
            with disk_problems(target, 0):
                make_folder(target)
                shutil.rmtree(target / family, ignore_errors=True)  # what is there is incomplete, else nobody asked
            place = staging.install(target, family)
        Staging(root).discard()
        self._found()
        self._announce.publish(ModelsChanged())
        return place

    def _fill(self, staging: Staging, family: str, root: Path) -> None:
        from .fetching import Fetching

        hub, shipped = self._hub(), self._shipped / family
        for file in (path for path in shipped.rglob("*") if path.is_file()):
            staging.add(file.relative_to(shipped).as_posix(), file.read_bytes())
        for part, source in self._sources[family].items():
            owner, name, folder = source.split("/", 2)
            model = hub.model(f"{owner}/{name}")
            files = tokenizer_files(model, folder)
            received = Staging(root / f"{owner}--{name}")
            Fetching(hub, model, received, {}, lambda: None, lambda: None).run(files)
            for fetched in files:
                staging.add(f"{part}/{PurePosixPath(fetched.path).name}", received.path(fetched.path).read_bytes())
