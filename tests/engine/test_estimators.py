"""What a ControlNet is shown of depths and poses: pictures of the right size, always the same, or one clear line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from imagegen_desktop.domain.errors import BadInput, ModelProblem
from imagegen_desktop.domain.model_card import PREPARED_BY
from imagegen_desktop.domain.request import Control, GenerationRequest, SourceImage
from imagegen_desktop.engine.estimators import Estimates
from tests import tiny_additions
from tests.engine.engine_child import SIDE, EngineChild, command, task_request
from tests.tiny_additions import extra

Tiny = Callable[[str], Path]

SIZES = [(64, 64), (97, 33), (40, 120)]
each_preparation = pytest.mark.parametrize("preparation", PREPARED_BY)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of network, each in a folder of its kind's name."""
    return tiny_additions.estimators(tmp_path_factory.mktemp("estimators"))


def files(preparation: str, shelf: Path, **others: Path) -> dict[str, tuple[str, int, int]]:
    kinds = PREPARED_BY[preparation]
    return {kind: (str(others.get(kind.replace("-", "_"), shelf / kind)), 0, 0) for kind in kinds}


def pixels(width: int, height: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def prepared(preparation: str, found: dict[str, Any], picture: torch.Tensor) -> torch.Tensor:
    return Estimates().picture(preparation, found, picture, torch.device("cpu"))


@each_preparation
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_has_the_picture_s_size_and_is_always_the_same(
    shelf: Path, preparation: str, width: int, height: int
) -> None:
    found, picture = files(preparation, shelf), pixels(width, height)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    once = prepared(preparation, found, picture)
    assert (once.shape, once.dtype) == ((height, width, 3), torch.uint8)
    assert once.any()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(prepared(preparation, found, picture), once)


@each_preparation
def test_a_picture_seen_already_is_kept_and_another_is_looked_at(shelf: Path, preparation: str) -> None:
    estimates, found, device = Estimates(), files(preparation, shelf), torch.device("cpu")
    once = estimates.picture(preparation, found, pixels(64, 64), device)
    assert estimates.picture(preparation, found, pixels(64, 64), device) is once
    for seed in range(1, 12):
        estimates.picture(preparation, found, pixels(64, 64, seed), device)
    assert torch.equal(estimates.picture(preparation, found, pixels(64, 64), device), once)


def test_depth_is_grey_and_uses_the_whole_range(shelf: Path) -> None:
    depth = prepared("depth", files("depth", shelf), pixels(64, 64))
    assert torch.equal(depth[..., 0], depth[..., 1]) and torch.equal(depth[..., 0], depth[..., 2])
    assert (int(depth.min()), int(depth.max())) == (0, 255)


def test_where_nobody_is_found_the_whole_picture_may_be_one(shelf: Path, tmp_path: Path) -> None:
    blind = files("pose", shelf, person_detector=tiny_additions.person_detector(tmp_path / "blind", finds=False))
    seen = files("pose", shelf)
    assert prepared("pose", blind, pixels(64, 64)).any()
    assert not torch.equal(prepared("pose", blind, pixels(64, 64)), prepared("pose", seen, pixels(64, 64)))


def test_a_picture_without_a_person_is_one_line(shelf: Path, tmp_path: Path) -> None:
    unsure = files("pose", shelf, pose_estimator=tiny_additions.pose_estimator(tmp_path / "unsure", finds=False))
    with pytest.raises(BadInput, match="nobody was found in the picture"):
        prepared("pose", unsure, pixels(64, 64))


@pytest.mark.parametrize(("kind", "preparation"), [(kind, how) for how, kinds in PREPARED_BY.items() for kind in kinds])
def test_a_folder_with_another_network_is_one_line(shelf: Path, tmp_path: Path, kind: str, preparation: str) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "config.json").write_text('{"model_type": "clip_vision_model"}')
    with pytest.raises(ModelProblem, match=f"wrong cannot be loaded as a {kind.replace('-', ' ')}") as refused:
        prepared(preparation, files(preparation, shelf, **{kind.replace("-", "_"): wrong}), pixels(64, 64))
    assert "\n" not in refused.value.message


@each_preparation
def test_the_engine_shows_it_to_the_controlnet(
    engine: EngineChild, tiny: Tiny, shelf: Path, tmp_path: Path, preparation: str
) -> None:
    """The picture it makes of the networks' view is the one it draws when it is handed that view as it is."""
    model, net = tiny("sd1"), tiny_additions.controlnet(tiny("sd1"), tmp_path / "net")
    picture = pixels(SIDE, SIDE)
    view = prepared(preparation, files(preparation, shelf), picture)
    extras = [extra("controlnet", net), *(extra(kind, shelf / kind, kind) for kind in PREPARED_BY[preparation])]

    def drawn(how: str, shown: torch.Tensor) -> bytes:
        asked = command(controlled(how), model, extras=extras, conditions=shown.numpy().tobytes())
        return engine.image(asked).pixels

    assert drawn(preparation, picture) == drawn("none", view)
    assert drawn(preparation, picture) != drawn("none", picture)
    gone = [one for one in extras if one["kind"] != PREPARED_BY[preparation][-1]]
    said = engine.refusal(command(controlled(preparation), model, extras=gone, conditions=bytes(SIDE**2 * 3)))
    assert said.message == f"The network {PREPARED_BY[preparation][-1]} is not there any more."


def controlled(preparation: str) -> GenerationRequest:
    source = SourceImage(sha256="1" * 64, width=SIDE, height=SIDE)
    control = Control(model="mine", image=source, preparation=preparation)
    return task_request("text", controls=(control,), sampler="Euler")
