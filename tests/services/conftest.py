"""Services on a real home, with the torch-free engine behind the real supervision."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import Parts, assemble
from tests.fake_hub import FakeHub, pipeline_files
from tests.services.downloading import ID, Bench

ROOT = Path(__file__).parent.parent.parent
FAKE = [sys.executable, str(ROOT / "tests" / "fake_engine.py")]


@pytest.fixture
def model(home: Path) -> Path:
    """A model folder that looks like one and holds no weights."""
    folder = home / "models" / "paper"
    files = {
        "model_index.json": {
            "_class_name": "StableDiffusionPipeline",
            "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"],
            "scheduler": ["diffusers", "PNDMScheduler"],
        },
        "unet/config.json": {"sample_size": 8, "cross_attention_dim": 768},
        "vae/config.json": {"block_out_channels": [8, 8, 8, 8]},
        "scheduler/scheduler_config.json": {"_class_name": "PNDMScheduler"},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return folder


Opened = Callable[[], Parts]


@pytest.fixture
def open_parts(home: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Opens the parts on the test's home, as often as asked; all are closed at the end."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("FAKE_ENGINE_MARKS", str(tmp_path))
    opened: list[Parts] = []

    def open_one() -> Parts:
        opened.append(assemble(Home(home), engine=False, engine_command=FAKE))
        return opened[-1]

    yield open_one
    for parts in opened:
        parts.close()


@pytest.fixture
def parts(open_parts: Opened) -> Parts:
    return open_parts()


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> int:
    """How often each fault is tried, by `--faults`."""
    count: int = request.config.getoption("--faults")
    return count


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as server:
        server.add(ID, pipeline_files())
        yield server


@pytest.fixture
def bench(hub: FakeHub, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(hub, tmp_path / "models")
    yield made
    made.downloads.close()
