"""Half precision, as on a card; here on a processor, which computes the same numbers more slowly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.engine.desk import Desk, Wish
from imagegen_desktop.engine.device import Device
from imagegen_desktop.engine.generate import Engine
from imagegen_desktop.protocol.messages import Cancelled, Decoding, Event, Image, Start
from tests.engine.engine_child import command, task_request

Tiny = Callable[[str], Path]


class Halves:
    """An engine that computes in each family's half precision, and what it says; `cancel_at` is an event or a phase
    at which somebody loses patience."""

    def __init__(self) -> None:
        self.cancel_at: object = None
        self._engine = Engine(Start(device="cpu", threads=1), self._hear)
        self._told: list[Event] = []
        self._desk = Desk()

    def draw(self, wish: GenerationRequest, model: Path, family: str, cancel_at: object = None) -> Event:
        """The last thing that is said of it."""
        self.cancel_at, self._desk = cancel_at, Desk("job")
        self._engine.generate(command(wish, model, family=family), self._desk)
        return self._told[-1]

    def close(self) -> None:
        self._engine.close()

    def _hear(self, *events: Event) -> None:
        self._told.extend(events)
        for event in events:
            if self.cancel_at in (type(event), getattr(event, "phase", "")):
                self._desk.ask(Wish.CANCEL)


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(Device, "precision", lambda _, on_cuda: on_cuda)
    made = Halves()
    yield made
    made.close()


@pytest.mark.parametrize("task", ["text", "image", "inpaint"])
@pytest.mark.parametrize("family", ["sd1", "sdxl", "sd3", "flux", "zimage", "qwen"])
def test_every_family_draws_in_halves(halves: Halves, tiny: Tiny, family: str, task: str) -> None:
    assert isinstance(halves.draw(task_request(task, steps=2), tiny(family), family), Image)


@pytest.mark.parametrize(("task", "moment"), [("text", Decoding), ("image", "encoding image"), ("inpaint", Decoding)])
def test_a_picture_that_is_left_leaves_the_autoencoder_as_it_was(
    halves: Halves, tiny: Tiny, task: str, moment: object
) -> None:
    """SDXL's computes in single precision for a moment, which another picture must not find."""
    wish = task_request(task, steps=2)
    before = halves.draw(wish, tiny("sdxl"), "sdxl")
    assert isinstance(before, Image)
    assert isinstance(halves.draw(wish, tiny("sdxl"), "sdxl", cancel_at=moment), Cancelled)
    after = halves.draw(wish, tiny("sdxl"), "sdxl")
    assert isinstance(after, Image)
    assert after.pixels == before.pixels


def test_a_decoder_that_fails_leaves_the_autoencoder_as_it_was(
    halves: Halves, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = task_request("text", steps=2)

    def decode(vae: Any, latents: torch.Tensor, **options: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(AutoencoderKL, "decode", decode)
        with pytest.raises(MemoryError):
            halves.draw(wish, tiny("sdxl"), "sdxl")
    assert isinstance(halves.draw(wish, tiny("sdxl"), "sdxl"), Image)
