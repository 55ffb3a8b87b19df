"""A provider somebody else might write, whole: it paints one colour, and nobody but its entry point knows of it."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen_desktop.domain.cloud_model import CloudModel, SizeRule
from imagegen_desktop.domain.families import TEXT
from imagegen_desktop.protocol.messages import Cancelled, Started, Step
from imagegen_desktop.providers.base import Assignment, Capabilities, Encoded, ProviderEvent, Submitting
from imagegen_desktop.providers.cloud import Surroundings
from tests.pictures import png


class SketchProvider:
    name = "sketch"

    def __init__(self, surroundings: Surroundings) -> None:
        self._cancelled: set[str] = set()

    def capabilities(self) -> Capabilities:
        paper = CloudModel(name="paper-1", title="Paper", sizes=SizeRule(default=(64, 64)), seeds=True)
        return Capabilities(
            title="Sketch", local=False, tasks=(TEXT,), paid=True, models=(paper,), default_model="paper-1"
        )

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        job, request = assignment.job.id, assignment.job.request
        for index in range(assignment.first_index, request.count):
            yield Started(job=job, index=index, steps=2)
            yield Submitting(job=job, index=index, nonce=f"{job}-{index}")
            for step in (1, 2):
                if job in self._cancelled:
                    yield Cancelled(job=job, index=index, step=step)
                    return
                yield Step(job=job, index=index, step=step, steps=2, seconds=0.0)
            colour = (request.seed_of(index) % 256, 0, 0)
            data = png(request.width or 64, request.height or 64, colour)
            yield Encoded(job=job, index=index, nonce=f"{job}-{index}", data=data, cost=0.01)

    def cancel(self, job: str) -> None:
        self._cancelled.add(job)

    def pause(self, job: str) -> None:
        pass

    def close(self) -> None:
        pass
