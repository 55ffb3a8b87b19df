"""Too little memory for decoding costs a note, not the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL

from imagegen_desktop.engine.decode import TILED, decode_on_processor, decode_within_memory
from imagegen_desktop.engine.desk import Desk
from imagegen_desktop.engine.failures import failed, is_out_of_memory
from imagegen_desktop.engine.generate import Engine
from imagegen_desktop.protocol.messages import Event, Image, Start
from tests import tiny_models
from tests.engine import bare
from tests.engine.engine_child import command, only, request

Tiny = Callable[[str], Path]
LATENTS = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def vae() -> Any:
    torch.manual_seed(0)
    return tiny_models.autoencoder()


def short_of_memory(vae: Any, times: int, error: Exception) -> tuple[Callable[..., Any], list[bool]]:
    """The autoencoder's decode, failing at first; and whether tiling was on at each attempt."""
    tiling: list[bool] = []

    def decode(latents: torch.Tensor, **options: Any) -> Any:
        tiling.append(vae.use_tiling)
        if len(tiling) <= times:
            raise error
        return vae.decode(latents, **options)

    return decode, tiling


@torch.no_grad()
def test_with_enough_memory_nothing_is_special(vae: Any) -> None:
    notes: list[str] = []
    decoded = decode_within_memory(vae, vae.decode, LATENTS, notes.append, return_dict=False)[0]
    assert torch.equal(decoded, vae.decode(LATENTS).sample)
    assert notes == []


@torch.no_grad()
@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate")],
    ids=lambda error: type(error).__name__,
)
def test_the_second_try_is_tiled(vae: Any, error: Exception) -> None:
    notes: list[str] = []
    decode, tiling = short_of_memory(vae, 1, error)
    assert decode_within_memory(vae, decode, LATENTS, notes.append, return_dict=False)[0].shape == (1, 3, 64, 64)
    assert tiling == [False, True]
    assert notes == [TILED]
    assert not vae.use_tiling, "the next image is decoded in one piece again"


@torch.no_grad()
def test_tiles_that_were_planned_stay_planned(vae: Any) -> None:
    vae.enable_tiling()
    try:
        decode, tiling = short_of_memory(vae, 1, MemoryError())
        decode_within_memory(vae, decode, LATENTS, print, return_dict=False)
        assert tiling == [True, True]
        assert vae.use_tiling, "the next image is decoded as the plan for the card wants it"
    finally:
        vae.disable_tiling()


def test_the_last_rungs_error_is_the_answer(vae: Any) -> None:
    decode, tiling = short_of_memory(vae, 9, torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(torch.OutOfMemoryError):
        decode_within_memory(vae, decode, LATENTS, print)
    assert len(tiling) == 2, "on a processor there is no processor to fall back to"


def test_other_errors_are_not_mistaken_for_memory(vae: Any) -> None:
    decode, tiling = short_of_memory(vae, 9, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        decode_within_memory(vae, decode, LATENTS, print)
    assert len(tiling) == 1


@torch.no_grad()
def test_the_processor_decodes_in_single_precision_and_gives_the_model_back() -> None:
    half = tiny_models.autoencoder().to(torch.bfloat16)
    decoded = decode_on_processor(half, half.decode, LATENTS.to(torch.bfloat16))[0]
    assert decoded.dtype == torch.float32
    assert decoded.isfinite().all()
    assert half.dtype == torch.bfloat16


def test_a_finished_sampling_survives_a_decoder_that_fails(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    engine = Engine(Start(device="cpu", threads=1), lambda *told: events.extend(told))
    asked = command(request(), tiny("sd1"), snapshot=str(tmp_path / "image.safetensors"))
    with monkeypatch.context() as broken:
        broken.setattr(AutoencoderKL, "decode", _no_memory)
        with pytest.raises(MemoryError):
            engine.generate(asked, Desk())
    sampled = engine.idle().denoiser_calls
    engine.generate(replace(asked, resume=asked.snapshot), Desk())
    assert engine.idle().denoiser_calls == sampled
    assert only(events, Image).pixels == bare.pixels(request(), tiny("sd1"))
    engine.close()


def _no_memory(vae: Any, latents: torch.Tensor, **options: Any) -> Any:
    raise MemoryError


def test_running_out_of_memory_comes_with_advice() -> None:
    said = failed("job", torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"))
    assert said.kind == "out_of_memory"
    assert "smaller size" in said.advice
    assert is_out_of_memory(MemoryError())
