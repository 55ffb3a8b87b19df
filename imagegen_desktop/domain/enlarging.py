"""Enlarging: an image made larger as it is, or drawn over in a second pass at a higher resolution."""

from __future__ import annotations

from .checks import check_number
from .errors import BadInput
from .request import MAX_SIDE, GenerationRequest

MAX_FACTOR, MAX_HIRES_FACTOR = 16.0, 4.0
HIRES_STRENGTH = 0.5

#: The upscaler that is no network.
LANCZOS = "Lanczos"

#: The second pass draws in sides that are multiples of this, which suits every family.
_MULTIPLE = 32


def upscaled_size(width: int, height: int, factor: float) -> tuple[int, int]:
    return max(1, min(MAX_SIDE, round(width * factor))), max(1, min(MAX_SIDE, round(height * factor)))


def hires_size(request: GenerationRequest) -> tuple[int, int]:
    """Width and height of what the second pass of a completed request draws."""
    factor = request.hires_factor or 1.0
    return _nearest((request.width or 0) * factor), _nearest((request.height or 0) * factor)


def check_enlarging(request: GenerationRequest) -> None:
    """Raises BadInput for factors and strengths that are impossible, or do not go together."""
    if request.upscale is not None:
        check_number("factor", request.upscale, 1.0, MAX_FACTOR)
        if request.image is None:
            raise BadInput("factor", request.upscale, "only together with an image")
        _check_sides("factor", request.upscale, request.image.width, request.image.height)
    if request.hires_strength is not None:
        check_number("hires strength", request.hires_strength, 0.01, 1.0)
        if request.hires_factor is None:
            raise BadInput("hires strength", request.hires_strength, "only together with a hires factor")
    if request.hires_factor is not None:
        check_number("hires factor", request.hires_factor, 1.05, MAX_HIRES_FACTOR)
        if request.upscale is not None:
            raise BadInput("hires factor", request.hires_factor, "not together with upscaling")
        _check_sides("hires factor", request.hires_factor, request.width or 1, request.height or 1)
    elif request.upscaler is not None and request.upscale is None:
        raise BadInput("upscaler", request.upscaler, "only together with a hires factor or with upscaling")


def _check_sides(name: str, factor: float, width: int, height: int) -> None:
    if max(width, height) * factor >= MAX_SIDE + 0.5:
        most = MAX_SIDE / max(width, height)
        raise BadInput(name, factor, f"at most {most:.3g} for {width}×{height}: no side may be over {MAX_SIDE}")


def _nearest(side: float) -> int:
    return max(_MULTIPLE, round(side / _MULTIPLE) * _MULTIPLE)
