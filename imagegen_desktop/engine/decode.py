"""Latents to pixels, down a ladder when memory runs out: in one piece, in tiles, on the processor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from .failures import is_out_of_memory

Decode = Callable[..., Any]

TILED = "decoded in tiles: there was too little memory for one piece"
ON_PROCESSOR = "decoded on the processor: there was too little graphics memory"


def decode_within_memory(
    vae: Any, decode: Decode, latents: torch.Tensor, note: Callable[[str], None], **options: Any
) -> Any:
    """What `decode`, the autoencoder's own, returns by the highest rung that memory carries; `note` hears of a lower.

    Raises the last rung's error when none carries.
    """
    attempts = [(functools.partial(decode, latents, **options), "")]
    attempts.append((functools.partial(_in_tiles, vae, decode, latents, **options), TILED))
    # One whose hook carries it to the card whenever it is called (engine/placing.py) stays there.
    if latents.device.type != "cpu" and not hasattr(vae, "_hf_hook"):
        attempts.append((functools.partial(decode_on_processor, vae, decode, latents, **options), ON_PROCESSOR))
    for attempt, remark in attempts[:-1]:
        try:
            return _noted(attempt, remark, note)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler: its traceback would keep the failed attempt's tensors alive.
        if latents.device.type == "cuda":
            torch.cuda.empty_cache()
    return _noted(*attempts[-1], note)


def _noted(attempt: Callable[[], Any], remark: str, note: Callable[[str], None]) -> Any:
    result = attempt()
    if remark:
        note(remark)
    return result


def _in_tiles(vae: Any, decode: Decode, latents: torch.Tensor, **options: Any) -> Any:
    tiled = vae.use_tiling
    vae.enable_tiling()
    try:
        return decode(latents, **options)
    finally:
        vae.use_tiling = tiled


def decode_on_processor(vae: Any, decode: Decode, latents: torch.Tensor, **options: Any) -> Any:
    """In single precision and tiles; the autoencoder goes back to where it was."""
    device, precision = latents.device, next(vae.parameters()).dtype
    vae.to("cpu", torch.float32)
    try:
        decoded = _in_tiles(vae, decode, latents.to("cpu", torch.float32), **options | {"return_dict": False})[0]
    finally:
        vae.to(device, precision)
    return (decoded,)
