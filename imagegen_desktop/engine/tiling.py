"""Pictures whose edges meet: convolutions that look across the border to the other side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional

from ..domain.errors import BadInput

_NETWORKS = ("unet", "controlnet", "vae")


@contextmanager
def seamless(pipeline: Any, tiling: str | None) -> Iterator[None]:
    """Within it left and right (x), top and bottom (y) or both belong together in denoiser and autoencoder."""
    if tiling is None:
        yield
        return
    if not hasattr(pipeline, "unet"):
        raise BadInput("tiling", tiling, "none with this model; Stable Diffusion 1, 2 and XL can")
    networks = [getattr(pipeline, name, None) for name in _NETWORKS]
    parts = [part for network in networks if network is not None for part in network.modules()]
    changed = [part for part in parts if isinstance(part, torch.nn.Conv2d) and any(_padding(part))]
    for part in changed:
        part._conv_forward = _across(part, tiling)
    try:
        yield
    finally:
        for part in changed:
            del part._conv_forward


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
