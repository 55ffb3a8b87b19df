"""Every way of sharing a card draws what the plain one draws; here on a processor, which stands in for the card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from imagegen_desktop.engine.desk import Desk
from imagegen_desktop.engine.device import choose
from imagegen_desktop.engine.memory_plan import EIGHT_BIT, STREAMED, TEXT_APART, WHOLE, Plan
from imagegen_desktop.engine.pipelines import PIPELINES
from imagegen_desktop.engine.placing import need_of, place, placed
from imagegen_desktop.engine.stepping import StepBoundary
from imagegen_desktop.engine.tallies import Tallies
from tests.engine.test_stepping import Silent

Tiny = Callable[[str], Path]
CARD = torch.device("cpu")


def opened(folder: Path) -> Any:
    pipeline = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def pixels(pipeline: Any, denoiser: Any) -> bytes:
    generator = torch.Generator().manual_seed(1)
    boundary = StepBoundary(pipeline, denoiser, generator, Desk("job"), Tallies(), Silent())
    with boundary.seams():
        picture = pipeline("cat", width=64, height=64, num_inference_steps=3, generator=generator).images[0]
    drawn: bytes = picture.tobytes()
    return drawn


def drawn(folder: Path, family: str, way: str, tiled: bool = False) -> bytes:
    pipeline = opened(folder)
    place(pipeline, PIPELINES[family], CARD, Plan(way=way, peak=0, tiled=tiled))
    return pixels(pipeline, getattr(pipeline, PIPELINES[family].denoiser))


@pytest.mark.parametrize("way", [TEXT_APART, STREAMED])
@pytest.mark.parametrize("family", ["sd1", "flux", "zimage"])
def test_parts_that_come_and_go_draw_the_same(tiny: Tiny, family: str, way: str) -> None:
    assert drawn(tiny(family), family, way) == drawn(tiny(family), family, WHOLE)


@pytest.mark.parametrize("family", ["sd1", "flux"])
def test_eight_bits_draw_nearly_the_same(tiny: Tiny, family: str) -> None:
    whole, rounded = drawn(tiny(family), family, WHOLE), drawn(tiny(family), family, EIGHT_BIT)
    assert rounded != whole
    assert sum(abs(one - other) for one, other in zip(rounded, whole, strict=True)) / len(whole) < 8


def test_eight_bits_are_a_quarter_of_single_precision(tiny: Tiny) -> None:
    pipeline = opened(tiny("flux"))
    before = need_of(pipeline, PIPELINES["flux"], 64 * 64)
    place(pipeline, PIPELINES["flux"], CARD, Plan(way=EIGHT_BIT, peak=0))
    assert need_of(pipeline, PIPELINES["flux"], 64 * 64).denoiser < 0.5 * before.denoiser


def test_a_need_counts_every_weight_once(tiny: Tiny) -> None:
    pipeline = opened(tiny("sd3"))
    need = need_of(pipeline, PIPELINES["sd3"], 1024 * 1024)
    modules = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    tensors = [tensor for part in modules for tensor in (*part.parameters(), *part.buffers())]
    assert need.weights == sum(tensor.nbytes for tensor in tensors)
    assert 0 < need.block < need.weights
    assert need_of(pipeline, PIPELINES["sd3"], 2 * 1024 * 1024).decoding == 2 * need.decoding


def test_a_processor_holds_everything_whatever_is_wanted(tiny: Tiny) -> None:
    _, plan = placed(opened(tiny("sd1")), PIPELINES["sd1"], choose("cpu"), STREAMED, 64 * 64)
    assert (plan.way, plan.words) == (WHOLE, "")
