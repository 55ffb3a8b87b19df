"""What only a card can show: nothing waits for it but what must, and every way of sharing it draws the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import diffusers
import pytest
import torch

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.engine.desk import Desk
from imagegen_desktop.engine.generate import Engine
from imagegen_desktop.engine.memory_plan import EIGHT_BIT, STREAMED, TEXT_APART, WHOLE
from imagegen_desktop.engine.preview import Previews, clean_guess
from imagegen_desktop.engine.samplers import Schedulers
from imagegen_desktop.protocol.messages import Event, Image, Paused, Preview, Start
from tests import tiny_models
from tests.engine.engine_child import command, only, task_request

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")]

Tiny = Callable[[str], Path]
FAMILIES = ("sd1", "sdxl", "sd3", "flux", "flux2", "zimage", "qwen")


def drawn(wish: GenerationRequest, model: Path, family: str, memory: str, **places: str) -> list[Event]:
    told: list[Event] = []
    engine = Engine(Start(device="cuda:0", memory=memory), lambda *events: told.extend(events))
    engine.generate(command(wish, model, family=family, **places), Desk("job"))
    engine.unload()
    engine.close()
    return told


@contextmanager
def waiting_fails() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("sampler", ["DPM++ 2M", "Euler a", "UniPC"])
def test_a_look_at_the_latents_waits_for_nothing(sampler: str) -> None:
    scheduler = Schedulers(diffusers.PNDMScheduler(**tiny_models.NOISE_SCHEDULE), flow=False).fresh(sampler, 1, 10)
    scheduler.set_timesteps(10, device="cuda")
    latents = torch.randn((1, 4, 8, 8), device="cuda", dtype=torch.float16)
    previews = Previews((torch.eye(4, 3, device="cuda"), torch.zeros(3, device="cuda")), lambda latents: latents)
    with waiting_fails():
        guess = clean_guess(scheduler, (latents, scheduler.timesteps[0], latents), (latents,))
        assert previews.look(1, guess) is None, "it is there at the next boundary"


@pytest.mark.parametrize("task", ["text", "image", "inpaint"])
@pytest.mark.parametrize("family", FAMILIES)
def test_parts_that_come_and_go_draw_the_same(tiny: Tiny, family: str, task: str) -> None:
    wish = task_request(task, steps=3)
    whole = only(drawn(wish, tiny(family), family, WHOLE), Image)
    for way in (TEXT_APART, STREAMED):
        assert only(drawn(wish, tiny(family), family, way), Image).pixels == whole.pixels, way
    assert only(drawn(wish, tiny(family), family, EIGHT_BIT), Image)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_goes_on_from_its_snapshot(tiny: Tiny, tmp_path: Path, family: str) -> None:
    wish, place = task_request("text", steps=4), str(tmp_path / "image.safetensors")
    whole = only(drawn(wish, tiny(family), family, WHOLE), Image)
    assert only(drawn(replace(wish, until=2), tiny(family), family, WHOLE, snapshot=place), Paused).step == 2
    assert only(drawn(wish, tiny(family), family, WHOLE, resume=place), Image).pixels == whole.pixels


def test_every_look_is_shown_one_step_later(tiny: Tiny) -> None:
    told = drawn(task_request("text", steps=4), tiny("sd1"), "sd1", WHOLE)
    assert [event.step for event in told if isinstance(event, Preview)] == [1, 2, 3]
