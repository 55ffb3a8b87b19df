"""The noise a picture begins with: a seed's own, or on the way from there to another seed's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ..domain.request import GenerationRequest


def seed_of_noise(request: GenerationRequest) -> int:
    """The seed every chance of the picture comes from: at full strength the variation's."""
    if request.variation_strength == 1.0 and request.variation_seed is not None:
        return request.variation_seed
    return request.seed_of(0)


@contextmanager
def varied(pipeline: Any, request: GenerationRequest) -> Iterator[None]:
    """Within it the first noise the pipeline draws for its latents lies between both seeds'."""
    strength, seed = request.variation_strength or 0.0, request.variation_seed
    if not 0.0 < strength < 1.0 or seed is None:
        yield
        return
    names = type(pipeline).prepare_latents.__globals__
    original = names["randn_tensor"]
    drawn = False

    def draw(shape: Any, generator: Any = None, **options: Any) -> torch.Tensor:
        nonlocal drawn
        noise: torch.Tensor = original(shape, generator=generator, **options)
        if drawn:
            return noise
        drawn = True
        other = original(shape, generator=torch.Generator("cpu").manual_seed(seed), **options)
        return between(noise, other, strength)

    names["randn_tensor"] = draw
    try:
        yield
    finally:
        names["randn_tensor"] = original


def between(noise: torch.Tensor, other: torch.Tensor, share: float) -> torch.Tensor:
    """Spherical interpolation, which keeps the length of the noise (Shoemake 1985)."""
    one, two = noise.double().flatten(), other.double().flatten()
    cosine = torch.dot(one, two) / (one.norm() * two.norm())
    angle = torch.acos(cosine.clamp(-1.0, 1.0))
    if float(angle) < 1e-6:
        return noise
    mixed = (torch.sin((1 - share) * angle) * one + torch.sin(share * angle) * two) / torch.sin(angle)
    return mixed.view(noise.shape).to(noise.dtype)
