"""Networks that prepare pictures: the library's own are used; missing ones are said with the remedy, and fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from safetensors.numpy import save_file

from imagegen_desktop.domain.download import DownloadState
from imagegen_desktop.domain.errors import BadInput, ModelProblem, Unreachable
from imagegen_desktop.domain.model_card import PREPARED_BY
from imagegen_desktop.domain.request import PREPARATIONS, Control, GenerationRequest
from imagegen_desktop.services import estimators
from imagegen_desktop.services.assemble import Parts
from imagegen_desktop.services.needed import fetch
from tests import tiny_additions
from tests.fake_hub import FakeHub
from tests.pictures import png_of_rows
from tests.tiny_additions import ESTIMATORS

each_preparation = pytest.mark.parametrize("preparation", PREPARED_BY)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_additions.estimators(tmp_path_factory.mktemp("estimators"))


@pytest.fixture
def hub(shelf: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """Has every network our table names, among files that nobody needs."""
    with FakeHub() as server:
        for kind, estimator in estimators.offered().items():
            files = {file.name: file.read_bytes() for file in (shelf / kind).iterdir()}
            unwanted = {"pytorch_model.bin": b"pickle", "modeling.py": b"import os", "onnx/model.onnx": b"onnx"}
            server.add(estimator.id, files | unwanted | {"README.md": b"# What it is"}, licence="apache-2.0")
        monkeypatch.setenv("HF_ENDPOINT", server.origin)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


def wish(parts: Parts, preparation: str) -> GenerationRequest:
    nothing = {"controlnet_cond_embedding.conv_in.weight": numpy.zeros((2, 3, 3, 3), numpy.float32)}
    save_file(nothing, parts.home.models / "shapes.safetensors")
    parts.models.refresh()
    picture = parts.sources.keep(png_of_rows(8, 8, (b"\0" + bytes(24)) * 8))
    control = Control(model="shapes", image=picture, preparation=preparation)
    return GenerationRequest(prompt="a cat", model="paper", controls=(control,))


def told(parts: Parts, preparation: str) -> list[dict[str, Any]]:
    return estimators.extras(parts.models, parts.compose.complete(wish(parts, preparation)))


@each_preparation
def test_what_is_missing_is_one_line_with_the_remedy_and_nothing_is_queued(parts: Parts, preparation: str) -> None:
    with pytest.raises(ModelProblem) as refused:
        parts.queue.add(wish(parts, preparation))
    said = f"{refused.value.message} {refused.value.advice}"
    assert f"models preparation {preparation}`" in said and "MB, Apache-2.0" in said and "\n" not in said
    assert parts.queue.jobs() == []


@each_preparation
def test_it_is_fetched_whole_and_then_needs_no_network(parts: Parts, hub: FakeHub, preparation: str) -> None:
    begun = fetch(parts.downloads, estimators.missing(parts.models, preparation))
    assert len(begun) == len(PREPARED_BY[preparation])
    for download in begun:
        assert parts.downloads.wait(download.key).state is DownloadState.DONE
    asked = len(hub.requests)
    kinds = [(each["kind"], Path(each["path"])) for each in told(parts, preparation)]
    assert [kind for kind, _ in kinds] == list(PREPARED_BY[preparation])
    for _, folder in kinds:
        names = {file.name for file in folder.iterdir()}
        assert names == {"config.json", "preprocessor_config.json", "model.safetensors", "README.md", "card.json"}
    assert estimators.missing(parts.models, preparation) == []
    assert len(hub.requests) == asked


@each_preparation
def test_one_that_is_there_already_is_not_fetched_again(
    parts: Parts, hub: FakeHub, home: Path, preparation: str
) -> None:
    """Also one of another make, which the artist put there."""
    for kind in PREPARED_BY[preparation]:
        ESTIMATORS[kind](home / "models" / "mine" / f"{kind} of my own")
    parts.models.refresh()
    assert fetch(parts.downloads, estimators.missing(parts.models, preparation)) == []
    paths = {Path(each["path"]).name for each in told(parts, preparation)}
    assert paths == {f"{kind} of my own" for kind in PREPARED_BY[preparation]}
    assert hub.requests == []


def test_offline_it_says_so(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(Unreachable):
        fetch(parts.downloads, estimators.missing(parts.models, "pose"))


@pytest.mark.parametrize("preparation", [name for name in PREPARATIONS if name not in PREPARED_BY])
def test_the_others_need_none(parts: Parts, preparation: str) -> None:
    with pytest.raises(BadInput, match="depth, pose"):
        estimators.missing(parts.models, preparation)
    assert told(parts, preparation) == []
