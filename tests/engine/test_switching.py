"""Going back to a model costs next to nothing, and giving a model up gives its memory back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from imagegen_desktop.protocol.messages import Idle, Load, Ready, Start, Unload
from tests import tiny_models
from tests.engine.engine_child import EngineChild, command, request

Tiny = Callable[[str], Path]
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of some 250 MB: enough to be seen among an engine's 600."""
    from diffusers import UNet2DConditionModel

    pipeline = tiny_models.stable_diffusion()
    wide = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(320, 640),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=8,
    ).eval()
    pipeline.register_modules(unet=wide)
    folder = tmp_path_factory.mktemp("heavy") / "heavy"
    pipeline.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def alone() -> Iterator[EngineChild]:
    child = EngineChild(Start(device="cpu", threads=1))
    child.until(Ready)
    yield child
    child.close()


def load(engine: EngineChild, model: Path) -> float:
    """Seconds until the model is there."""
    begin = time.perf_counter()
    engine.send(Load(path=str(model), family="sd1"))
    engine.until(Idle)
    return time.perf_counter() - begin


def back(engine: EngineChild, model: Path, other: Path) -> float:
    """Seconds to have the model again after another one was in use."""
    load(engine, other)
    return load(engine, model)


def unload(engine: EngineChild) -> int:
    """Bytes the engine occupies afterwards."""
    engine.send(Unload())
    engine.until(Idle)
    return occupied(engine)


def occupied(engine: EngineChild) -> int:
    resident: int = psutil.Process(engine.process.pid).memory_info().rss
    return resident


@pytest.mark.slow
def test_back_and_forth_and_nothing_left(alone: EngineChild, heavy: Path, tiny: Tiny) -> None:
    alone.image(command(request(steps=1), tiny("sd1")))
    base = unload(alone)
    cold = load(alone, heavy)
    again = min(back(alone, heavy, tiny("sd1")) for _ in range(3))
    assert again <= 0.1 * cold, f"{again:.3f} s after {cold:.3f} s"
    alone.image(command(request(steps=1), heavy))
    weights = sum(file.stat().st_size for file in heavy.rglob("*.safetensors"))
    full = occupied(alone)
    assert full - base > 0.8 * weights
    left = unload(alone)
    told = f"{base // MEGABYTE} → {full // MEGABYTE} → {left // MEGABYTE} MB"
    print(f"cold {cold:.3f} s, again {again:.4f} s; memory {told}")
    assert abs(left - base) <= 0.05 * base, told
