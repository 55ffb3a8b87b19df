"""Kits: the configs and tokenizers that single-file models need, fetched once from open models and kept."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ..domain.errors import BadInput, ModelProblem
from ..domain.hub_model import HubModel
from ..domain.hub_selection import INDEX, small_files
from ..storage.durable import disk_problems, make_folder
from ..storage.staging import Staging
from ..weights.kits import is_complete
from .announce import Announcer, ModelsChanged
from .downloads import HIDDEN
from .model_library import KITS

if TYPE_CHECKING:
    from ..providers.hub import Hub

_CONFIGS = "configs"


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
        return frozenset(
            family for family, row in self._sources.items() if _CONFIGS in row or (self._shipped / family).is_dir()
        )

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

        hub = self._hub()
        models: dict[str, HubModel] = {}

        def copy(source: str, folder: str, target: str) -> None:
            if source not in models:
                models[source] = hub.model(source)
            files = small_files(models[source], folder)
            received = Staging(root / source.replace("/", "--"))
            Fetching(hub, models[source], received, {}, lambda: None, lambda: None).run(files)
            for file in files:
                staging.add(f"{target}/{PurePosixPath(file.path).name}", received.path(file.path).read_bytes())

        row = dict(self._sources[family])
        configs = row.pop(_CONFIGS, "")
        shipped = self._shipped / family
        if shipped.is_dir():
            for file in (path for path in shipped.rglob("*") if path.is_file()):
                staging.add(file.relative_to(shipped).as_posix(), file.read_bytes())
        else:
            copy(configs, "", ".")
            index = hub.json(models[configs], models[configs].required(INDEX))
            for part in (name for name, value in index.items() if isinstance(value, list) and any(value)):
                copy(configs, part, part)
        for part, source in row.items():
            owner, name, folder = source.split("/", 2)
            copy(f"{owner}/{name}", folder, part)
