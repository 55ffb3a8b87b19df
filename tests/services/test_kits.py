"""Kits: fetched once, whole, from where the data says, for every family whose configs we ship."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import BadInput, ModelProblem
from imagegen_desktop.formats.folder import OPTIONAL
from imagegen_desktop.paths import resources
from imagegen_desktop.providers.cloud import Surroundings
from imagegen_desktop.providers.hub import Hub
from imagegen_desktop.services.announce import Announcer
from imagegen_desktop.services.kits import KitFetcher
from imagegen_desktop.weights.kits import is_complete
from tests.fake_hub import FakeHub

SOURCES = resources() / "models" / "kits.toml"
CONFIGS = resources() / "configs"
NAMES = ("tokenizer.json", "tokenizer_config.json", "merges.txt", "vocab.json")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """Every model the data names, with tokenizers and much that is not wanted."""
    with FakeHub() as server:
        for row in tomllib.loads(SOURCES.read_text()).values():
            for source in row.values():
                owner, name, folder = source.split("/", 2)
                below = f"{folder}/" if folder else ""
                known = server.repositories.get(f"{owner}/{name}")
                files = {f"{below}{each}": json.dumps({"of": source, "file": each}).encode() for each in NAMES}
                unwanted = {f"{below}pytorch_model.bin": b"pickle", f"{below}run.py": b"import os", "x.ckpt": b"p"}
                server.add(f"{owner}/{name}", (known.files if known else {}) | files | unwanted)
        yield server


def fetcher(hub: FakeHub, models: Path) -> KitFetcher:
    asked = Hub(Surroundings(key=lambda name: "", endpoint=lambda name: hub.origin))
    return KitFetcher(lambda: asked, models, CONFIGS, SOURCES, Announcer(), lambda: None)


@pytest.mark.parametrize("family", sorted(folder.name for folder in CONFIGS.iterdir() if folder.is_dir()))
def test_the_kit_of_every_family_comes_whole(hub: FakeHub, tmp_path: Path, family: str) -> None:
    place = fetcher(hub, tmp_path).fetch(family)
    assert place == tmp_path / "kits" / family
    assert is_complete(place)
    assert not list(place.rglob("*.bin")) and not list(place.rglob("*.py"))
    index = json.loads((place / "model_index.json").read_text())
    parts = {part for part, value in index.items() if isinstance(value, list) and part not in OPTIONAL}
    assert {folder.name for folder in place.iterdir() if folder.is_dir()} == parts
    assert list((tmp_path / ".downloads").iterdir()) == []


def test_an_incomplete_kit_is_replaced_and_a_torn_download_leaves_none(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "kits" / "sd1").mkdir(parents=True)
    (tmp_path / "kits" / "sd1" / "model_index.json").write_text("{")
    sd1 = hub.repositories["stable-diffusion-v1-5/stable-diffusion-v1-5"]
    for name in ("tokenizer.json", "merges.txt"):
        sd1.files.pop(f"tokenizer/{name}")
    with pytest.raises(ModelProblem, match="not complete"):
        fetcher(hub, tmp_path).fetch("sd1")
    assert (tmp_path / "kits" / "sd1" / "model_index.json").read_text() == "{"
    sd1.files["tokenizer/tokenizer.json"] = b"{}"
    assert is_complete(fetcher(hub, tmp_path).fetch("sd1"))


def test_an_unknown_family(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="sdxl"):
        fetcher(hub, tmp_path).fetch("starter")
