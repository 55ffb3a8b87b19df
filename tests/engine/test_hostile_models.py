"""The engine's own way to a model: nothing the check does not pass reaches a loader, whoever asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagegen_desktop.domain.request import GenerationRequest, LoraWeight
from imagegen_desktop.engine.device import choose
from imagegen_desktop.engine.load import ModelShelf, Source
from imagegen_desktop.engine.tallies import Tallies
from tests.tiny_models import build
from tests.weights import hostile, hostile_folders
from tests.weights.watch import refused


@pytest.fixture
def shelf() -> ModelShelf:
    return ModelShelf(Tallies())


def _files(folder: Path, canary: Path) -> list[Path]:
    content = dict(hostile.pickled_files(canary))
    content |= {f"{name}.safetensors": data for name, (data, _) in hostile.lying_safetensors().items()}
    content |= {f"{name}.gguf": data for name, (data, _) in hostile.lying_gguf().items()}
    folder.mkdir()
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in content]


def test_no_hostile_folder_is_loaded(tmp_path: Path, canary: Path, shelf: ModelShelf) -> None:
    for number, (change, word) in enumerate(hostile_folders.HARMS.values()):
        folder = hostile_folders.sound(tmp_path / str(number) / "model")
        change(folder, canary)
        source = Source(path=str(folder), family="sd1", device=choose("cpu"))
        reason = refused(lambda source=source: shelf.get(source, 64 * 64, lambda: None))  # type: ignore[misc]
        assert word in reason or "symbolic links" in reason


def test_no_hostile_file_is_loaded_as_a_model_or_beside_one(tmp_path: Path, canary: Path, shelf: ModelShelf) -> None:
    kit = build("sd1", tmp_path / "kit")
    device = choose("cpu")
    whole = shelf.get(Source(path=str(kit), family="sd1", device=device), 64 * 64, lambda: None)
    request = GenerationRequest(prompt="a fox", loras=(LoraWeight(name="it"),))
    for file in _files(tmp_path / "files", canary):
        source = Source(path=str(file), family="sd1", device=device, kit=str(kit))
        refused(lambda source=source: ModelShelf(Tallies()).get(source, 64 * 64, lambda: None))  # type: ignore[misc]
        extras = [{"kind": "lora", "name": "it", "path": str(file)}]
        refused(lambda extras=extras: whole.add(request, extras))  # type: ignore[misc]
