"""What pictures cost, in US dollars, as published on AS_OF. Estimates are "about"; the bill is the provider's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .request import GenerationRequest

AS_OF = "2026-11-21"

_MILLION = 1e6
_SQUARE = 1024 * 1024
_PROMPT_TOKENS = 300
_PARTIAL_TOKENS = 100
_SOURCE_TOKENS = 1500


@dataclass(frozen=True, kw_only=True)
class TokenRates:
    """Dollars per million tokens; `output` are the image tokens a 1024 × 1024 picture takes at each quality."""

    text_in: float
    image_in: float
    image_out: float
    output: Mapping[str, int]


_PLAIN = {"low": 200, "medium": 1770, "high": 7030, "xhigh": 10500, "max": 14000}
_EAGER = {"low": 700, "medium": 6200, "high": 7030, "xhigh": 10500, "max": 14000}

TOKEN_RATES: dict[str, TokenRates] = {
    "gpt-image-2": TokenRates(text_in=5.0, image_in=8.0, image_out=30.0, output=_PLAIN),
    "gpt-image-2.5-flare": TokenRates(text_in=5.0, image_in=8.0, image_out=30.0, output=_PLAIN),
    "gpt-image-2.5-sunburst": TokenRates(text_in=5.0, image_in=8.0, image_out=30.0, output=_PLAIN),
    "gpt-image-2.6-flare": TokenRates(text_in=5.0, image_in=8.0, image_out=30.0, output=_EAGER),
    "gpt-image-2.6-sunburst": TokenRates(text_in=5.0, image_in=8.0, image_out=30.0, output=_EAGER),
}

#: Models sold by the picture.
PER_IMAGE: dict[str, float] = {
    "stability-ai/stable-diffusion-3.5-large": 0.065,
    "stability-ai/stable-diffusion-3.5-large-turbo": 0.04,
    "stability-ai/stable-diffusion-3.5-medium": 0.035,
    "black-forest-labs/flux-schnell": 0.003,
    "black-forest-labs/flux-dev": 0.025,
    "black-forest-labs/flux-1.1-pro": 0.04,
    "black-forest-labs/flux-1.1-pro-ultra": 0.06,
    "black-forest-labs/flux-kontext-pro": 0.04,
    "black-forest-labs/flux-kontext-max": 0.08,
    "black-forest-labs/flux-fill-pro": 0.05,
}

#: Language models, dollars per million tokens: in, out.
WRITER_RATES: dict[str, tuple[float, float]] = {
    "gpt-6-luna": (0.10, 0.50),
    "gpt-5.6-luna": (0.20, 1.20),
}


def estimate(request: GenerationRequest, partial_images: int = 0) -> float | None:
    """About what one image of a completed request will cost; None for models we know no price of."""
    name = request.model or ""
    if name in PER_IMAGE:
        return PER_IMAGE[name]
    rates = TOKEN_RATES.get(name)
    if rates is None:
        return None
    quality = request.quality if request.quality is not None and request.quality in rates.output else "high"
    share = (request.width or 1024) * (request.height or 1024) / _SQUARE
    made = rates.output[quality] * share + _PARTIAL_TOKENS * partial_images
    given = _SOURCE_TOKENS * sum(picture is not None for picture in (request.image, request.mask))
    return (made * rates.image_out + given * rates.image_in + _PROMPT_TOKENS * rates.text_in) / _MILLION


def cost_of_image_tokens(model: str, text_in: int, image_in: int, image_out: int) -> float | None:
    """What a provider's own count of tokens comes to."""
    rates = TOKEN_RATES.get(model)
    if rates is None:
        return None
    return (text_in * rates.text_in + image_in * rates.image_in + image_out * rates.image_out) / _MILLION


def cost_of_words(model: str, tokens_in: int, tokens_out: int) -> float | None:
    rates = WRITER_RATES.get(model)
    return None if rates is None else (tokens_in * rates[0] + tokens_out * rates[1]) / _MILLION
