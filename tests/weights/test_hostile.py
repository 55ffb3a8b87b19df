"""Nothing a stranger sends is opened: every file and folder is refused with its reason, and nothing of it ever runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagegen_desktop.paths import Home
from imagegen_desktop.services.model_library import ModelLibrary
from imagegen_desktop.settings import Settings
from imagegen_desktop.weights.inspect import inspect_model
from tests.weights import hostile, hostile_folders, watch


def refused(path: Path) -> str:
    return watch.refused(lambda: inspect_model(path), also=("exec",))


def _corpus(folder: Path, canary: Path) -> dict[Path, str]:
    """Every hostile file, written, with a word of its reason."""
    folder.mkdir(exist_ok=True)
    content = {name: (data, "") for name, data in hostile.pickled_files(canary).items()}
    content |= {f"{name}.safetensors": found for name, found in hostile.lying_safetensors().items()}
    content |= {f"{name}.gguf": found for name, found in hostile.lying_gguf().items()}
    for name, (data, _) in content.items():
        (folder / name).write_bytes(data)
    return {folder / name: word for name, (_, word) in content.items()}


def test_every_hostile_file_is_refused_with_its_reason(tmp_path: Path, canary: Path) -> None:
    corpus = _corpus(tmp_path / "corpus", canary)
    assert len(corpus) >= 60
    for path, word in corpus.items():
        reason = refused(path)
        assert path.name in reason, path.name
        assert word in reason, (path.name, reason)


#: What a file's content is, where it is no bare pickle.
_REALLY = {
    "archive": "zip", "nested": "zip", "compressed": "zip", "bad-crc": "zip", "flipped-flags": "zip", "bomb": "zip",
    "climbing": "zip", "legacy": "tar", "squeezed": "gzip", "seven": "7z", "hdf5": "HDF5", "shaders": "Metal",
    "page": "web page", "pointer": "LFS", "program": "program", "script": "script", "empty": "empty",
}  # fmt: skip


def test_what_a_file_really_is_is_said(tmp_path: Path, canary: Path) -> None:
    for name, data in hostile.pickled_files(canary).items():
        (tmp_path / name).write_bytes(data)
        assert _REALLY.get(Path(name).stem, "is a pickle") in refused(tmp_path / name)


@pytest.mark.parametrize("harm", hostile_folders.HARMS)
def test_every_hostile_folder_is_refused_with_its_reason(tmp_path: Path, canary: Path, harm: str) -> None:
    change, word = hostile_folders.HARMS[harm]
    folder = hostile_folders.sound(tmp_path / "model")
    assert inspect_model(folder).family == "sd1"
    change(folder, canary)
    assert word in refused(folder)


def test_a_pipe_makes_nobody_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    assert "no file" in refused(tmp_path / "pipe.safetensors")


def test_the_library_lists_them_as_broken_and_opens_none(tmp_path: Path, home: Path, canary: Path) -> None:
    place = Home(home).prepare()
    corpus = _corpus(place.models / "from the web", canary)
    named = {
        path.stem for path in corpus if path.suffix.lower() in (".safetensors", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
    }
    library = ModelLibrary(tmp_path / "nothing", place.models, Settings(place.settings))
    assert library.everything() == []
    assert set(library.broken()) == named
