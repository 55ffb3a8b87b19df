"""A forecast before pressing Generate, learnt from what this machine has already drawn."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable

from ..database.connection import Library
from ..database.facts import get_fact, set_fact
from ..domain.request import GenerationRequest

_KEPT = 7  # few, so that a machine that is busy now, or is no longer, is believed soon


class Forecast:
    """Seconds a picture takes: the median of the last runs of that model, per step and megapixel."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def learn(self, request: GenerationRequest, seconds: float) -> None:
        """Remembers how long one image of a completed request took."""
        work = _work(request)
        if work <= 0 or seconds <= 0:
            return
        speeds = [*self._speeds(request), seconds / work][-_KEPT:]
        set_fact(self._library, _key(request), json.dumps(speeds))

    def seconds(self, request: GenerationRequest) -> float | None:
        """For the whole request, all its images; None before this model was ever run here."""
        speeds = self._speeds(request)
        return statistics.median(speeds) * _work(request) * request.count if speeds else None

    def total(self, shares: Iterable[tuple[GenerationRequest, float]]) -> float | None:
        """For a share of each of these requests; None while one of them has no forecast."""
        paces: dict[str, float | None] = {}
        total = 0.0
        for request, share in shares:
            key = _key(request)
            if key not in paces:
                speeds = self._speeds(request)
                paces[key] = statistics.median(speeds) if speeds else None
            pace = paces[key]
            if pace is None:
                return None
            total += pace * _work(request) * request.count * share
        return total

    def _speeds(self, request: GenerationRequest) -> list[float]:
        found = get_fact(self._library, _key(request))
        return [float(speed) for speed in json.loads(found)] if found else []


def _work(request: GenerationRequest) -> float:
    """Steps times megapixels; image-to-image and a second pass run only their share of the steps. Upscaling has no
    steps: megapixels made."""
    if request.upscale is not None:
        return (request.width or 0) * (request.height or 0) / 1e6
    share = request.strength if request.image is not None and request.strength is not None else 1.0
    once = (request.steps or 0) * (request.width or 0) * (request.height or 0) / 1e6
    second = (request.hires_strength or 0.0) * (request.hires_factor or 0.0) ** 2
    return once * (share + second)


def _key(request: GenerationRequest) -> str:
    if request.upscale is not None:
        return f"speed:upscaler {request.upscaler}:{request.device or 'auto'}"
    return f"speed:{request.model}:{request.device or 'auto'}"
