"""The step boundary around one pipeline call: left in mid-step, and gone without a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from imagegen_desktop.engine.desk import Desk, Leave, Wish
from imagegen_desktop.engine.stepping import StepBoundary
from imagegen_desktop.engine.tallies import Tallies

Tiny = Callable[[str], Path]


class Silent:
    """A watcher that asks for nothing."""

    def began(self, step: int, steps: int) -> None: ...

    def stepped(self, step: int, latents: torch.Tensor, guess: Callable[[], torch.Tensor]) -> None: ...

    def encoding_image(self) -> None: ...

    def decode(self, decode: Callable[..., Any], latents: torch.Tensor, **options: Any) -> Any:
        return decode(latents, **options)


@pytest.fixture
def pipeline(tiny: Tiny) -> Any:
    loaded = diffusers.StableDiffusionPipeline.from_pretrained(
        tiny("sd1"), safety_checker=None, requires_safety_checker=False, local_files_only=True
    )
    loaded.set_progress_bar_config(disable=True)
    return loaded


def draw(pipeline: Any, desk: Desk, tallies: Tallies) -> bytes:
    generator = torch.Generator().manual_seed(1)
    boundary = StepBoundary(pipeline, pipeline.unet, generator, desk, tallies, Silent())
    with boundary.seams():
        picture = pipeline("cat", width=64, height=64, num_inference_steps=4, generator=generator).images[0]
    pixels: bytes = picture.tobytes()
    return pixels


def test_a_cancel_in_mid_step_is_heard_at_the_next_block(pipeline: Any) -> None:
    desk, tallies = Desk("job"), Tallies()
    reached: list[str] = []

    def artist_cancels(*_: Any) -> None:
        reached.append("first block")
        if reached.count("first block") == 2:
            desk.ask(Wish.CANCEL)

    pipeline.unet.down_blocks[0].register_forward_hook(artist_cancels)
    pipeline.unet.up_blocks[-1].register_forward_hook(lambda *_: reached.append("last block"))
    with pytest.raises(Leave) as left:
        draw(pipeline, desk, tallies)
    assert left.value.wish is Wish.CANCEL
    assert reached == ["first block", "last block", "first block"]


def test_a_cancel_in_mid_decoding_is_heard_as_well(pipeline: Any) -> None:
    desk = Desk("job")
    pipeline.vae.decoder.up_blocks[0].register_forward_hook(lambda *_: desk.ask(Wish.CANCEL))
    with pytest.raises(Leave):
        draw(pipeline, desk, Tallies())


def test_nothing_stays_behind(pipeline: Any) -> None:
    before = draw(pipeline, Desk("job"), Tallies())
    desk = Desk("job")
    desk.ask(Wish.CANCEL)
    with pytest.raises(Leave):
        draw(pipeline, desk, Tallies())
    assert not {"forward", "step", "encode", "decode"} & {
        name for part in (pipeline.unet, pipeline.scheduler, pipeline.vae) for name in vars(part)
    }
    assert not any(module._forward_pre_hooks for module in pipeline.unet.modules())
    assert draw(pipeline, Desk("job"), Tallies()) == before


def test_a_cancel_outranks_a_pause() -> None:
    desk = Desk("job")
    desk.ask(Wish.PAUSE)
    desk.ask(Wish.CANCEL)
    desk.ask(Wish.PAUSE)
    assert desk.wish is Wish.CANCEL
