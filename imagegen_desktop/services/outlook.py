"""How long it takes until the queue is empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..domain.job import FINISHED, Job
from ..providers.base import Provider
from .forecast import Forecast


def seconds_left(jobs: Iterable[Job], forecast: Forecast, providers: Mapping[str, Provider]) -> float | None:
    """Until all of these that wait or run are done; None while one of them has no forecast. Providers work side by
    side, and each draws as many jobs at a time as it has places."""
    lanes: dict[str, list[Job]] = {}
    for job in jobs:
        if job.state not in FINISHED:
            lanes.setdefault(job.request.provider, []).append(job)
    longest = 0.0
    for name, mine in lanes.items():
        total = forecast.total((job.request, _share_left(job)) for job in mine)
        if total is None:
            return None
        places = providers[name].capabilities().places if name in providers else 1
        longest = max(longest, total / min(places, len(mine)))
    return longest


def _share_left(job: Job) -> float:
    done = (job.images_done + (job.step / job.steps if job.steps else 0.0)) / job.request.count
    return max(0.0, 1.0 - done)
