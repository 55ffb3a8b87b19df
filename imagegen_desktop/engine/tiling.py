"""Pictures whose edges meet: convolutions that look across the border to the other side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.models.autoencoders.vae import DecoderOutput
from torch.nn import functional

from ..domain.errors import BadInput
from .stepping import replaced


@contextmanager
def seamless(pipeline: Any, tiling: str | None, beside: Iterable[torch.nn.Module] = ()) -> Iterator[None]:
    """Within it left and right (x), top and bottom (y) or both belong together in denoiser and autoencoder, and in
    the networks `beside` them."""
    if tiling is None:
        yield
        return
    if not hasattr(pipeline, "unet"):
        raise BadInput("tiling", tiling, "none with this model; Stable Diffusion 1, 2 and XL can")
    parts = [part for network in (pipeline.unet, pipeline.vae, *beside) for part in network.modules()]
    changed = [part for part in parts if isinstance(part, torch.nn.Conv2d) and any(_padding(part))]
    with _looking_across(changed, tiling), _decoding_across(pipeline.vae, tiling):
        yield


@contextmanager
def _looking_across(parts: list[torch.nn.Conv2d], tiling: str) -> Iterator[None]:
    for part in parts:
        part._conv_forward = _across(part, tiling)
    try:
        yield
    finally:
        for part in parts:
            del part._conv_forward


@contextmanager
def _decoding_across(vae: Any, tiling: str) -> Iterator[None]:
    """A picture decoded in tiles: across its border lies its other side, not the other side of the tile."""
    if not hasattr(vae, "tiled_decode"):
        yield
        return

    def decode(original: Callable[..., Any], latents: torch.Tensor, return_dict: bool = True) -> Any:
        axes = [side for axis, side in (("x", -1), ("y", -2)) if tiling in (axis, "both")]
        margins = {side: min(max(1, vae.tile_latent_min_size // 4), latents.shape[side]) for side in axes}
        across, down = margins.get(-1, 0), margins.get(-2, 0)
        wide = functional.pad(latents, (across, across, down, down), mode="circular")
        with _looking_straight(vae):
            decoded = original(wide, return_dict=False)[0]
        for side, margin in margins.items():
            decoded = _joined(decoded, side, margin * (decoded.shape[side] // wide.shape[side]))
        return DecoderOutput(sample=decoded) if return_dict else (decoded,)

    with replaced(vae, "tiled_decode", decode):
        yield


def _padding(part: torch.nn.Conv2d) -> list[int]:
    """Left, right, top, bottom."""
    return list(part._reversed_padding_repeated_twice)


def _across(part: torch.nn.Conv2d, tiling: str) -> Callable[..., torch.Tensor]:
    left, right, top, bottom = _padding(part)
    sideways, upright = ("circular" if tiling in (axis, "both") else "constant" for axis in ("x", "y"))

    def convolve(seen: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        wide = functional.pad(seen, (left, right, 0, 0), mode=sideways)
        whole = functional.pad(wide, (0, 0, top, bottom), mode=upright)
        return functional.conv2d(whole, weight, bias, part.stride, 0, part.dilation, part.groups)

    return convolve


@contextmanager
def _looking_straight(network: Any) -> Iterator[None]:
    """Convolutions see nothing across a border, as they were made."""
    parts = [part for part in network.modules() if "_conv_forward" in vars(part)]
    across = [vars(part).pop("_conv_forward") for part in parts]
    try:
        yield
    finally:
        for part, convolve in zip(parts, across, strict=True):
            part._conv_forward = convolve


def _joined(decoded: torch.Tensor, side: int, margin: int) -> torch.Tensor:
    """Without the margins that repeat its other end; what was decoded twice goes over from one to the other."""
    length = decoded.shape[side] - 2 * margin
    whole = decoded.narrow(side, margin, length).clone()
    beyond = decoded.narrow(side, margin + length, margin)
    share = torch.arange(margin, device=decoded.device, dtype=decoded.dtype) / margin
    share = share.view([-1 if each == side % decoded.ndim else 1 for each in range(decoded.ndim)])
    first = whole.narrow(side, 0, margin)
    first.copy_(beyond + share * (first - beyond))
    return whole
