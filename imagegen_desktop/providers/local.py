"""The local provider: jobs for the engines on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..domain.families import IMAGE, INPAINT, TEXT
from ..domain.job import Job
from ..protocol.messages import (
    Cancel,
    Cancelled,
    Command,
    Failed,
    Generate,
    Image,
    Pause,
    Paused,
    Started,
    Step,
    Upscale,
)
from .base import Assignment, Capabilities, ProviderEvent
from .engines import Engines

#: Seconds between two snapshots that no step can stay below.
EVERY_STEP = 1e-6

#: Where an image's snapshot lies, and how many seconds may pass between two.
SnapshotPlace = Callable[[str, int], str]


class LocalProvider:
    """Sends the images of a job one ahead of the one being drawn, so that its engine never waits for us."""

    name = "local"

    def __init__(self, engines: Engines, snapshot_place: SnapshotPlace, snapshot_seconds: Callable[[], float]):
        self._engines = engines
        self._snapshot_place = snapshot_place
        self._snapshot_seconds = snapshot_seconds

    def capabilities(self) -> Capabilities:
        return Capabilities(
            title="This computer", local=True, tasks=(TEXT, IMAGE, INPAINT), places=self._engines.places
        )

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        job = assignment.job
        model = assignment.model.path if assignment.model is not None else ""
        last = job.request.count - 1
        seated = self._engines.seat(job.id, model, job.request.device)
        with seated as seat, seat.engine.listen(job.id) as next_event:
            seat.engine.send(self._command(assignment, assignment.first_index), only=next_event.child)
            finished = False
            try:
                while not finished:
                    event = next_event()
                    if isinstance(event, Started) and event.index < last:
                        seat.engine.send(self._command(assignment, event.index + 1), only=next_event.child)
                    elif isinstance(event, Step) and event.index == last:
                        seat.last_step = event
                    at_end = isinstance(event, Image) and event.index == last
                    finished = at_end or isinstance(event, Cancelled | Paused | Failed)
                    yield event  # type: ignore[misc]
            finally:
                if not finished or (isinstance(event, Failed) and event.kind != "engine_died"):
                    self.cancel(job.id)  # nobody follows what was sent ahead

    def cancel(self, job: str) -> None:
        self._tell(job, Cancel(job=job))

    def pause(self, job: str) -> None:
        self._tell(job, Pause(job=job))

    def devices(self) -> Mapping[str, int]:
        return self._engines.devices()

    def device_of(self, job: str) -> str:
        return self._engines.device_of(job)

    def busy_devices(self) -> frozenset[str]:
        return self._engines.busy_devices()

    def expect(self, job: Job) -> None:
        self._engines.expect(job.id, job.request.device)

    def forget(self, job: str) -> None:
        self._engines.forget(job)

    def close(self) -> None:
        self._engines.close()

    def _tell(self, job: str, command: Command) -> None:
        engine = self._engines.of(job)
        if engine is not None:
            engine.tell(command)

    def _command(self, assignment: Assignment, index: int) -> Generate | Upscale:
        job = assignment.job
        if job.request.upscale is not None:
            return self._upscaling(assignment)
        assert assignment.model is not None
        return Generate(
            job=job.id,
            index=index,
            request=job.request.only(index).to_dict(),
            model_path=assignment.model.path,
            family=assignment.model.family,
            kit=assignment.model.kit,
            variants=list(assignment.model.variants),
            resume=assignment.resumes.get(index, ""),
            snapshot=self._snapshot_place(job.id, index),
            snapshot_seconds=self._snapshot_seconds(),
            image=assignment.image,
            mask=assignment.mask,
            extras=assignment.extras,
            conditions=assignment.conditions,
            references=assignment.references,
        )

    def _upscaling(self, assignment: Assignment) -> Upscale:
        job, request = assignment.job, assignment.job.request
        assert request.image is not None
        return Upscale(
            job=job.id,
            width=request.image.width,
            height=request.image.height,
            target_width=request.width or 0,
            target_height=request.height or 0,
            seed=request.seed or 0,
            upscaler=next((str(extra["path"]) for extra in assignment.extras), ""),
            device=request.device or "",
            resume=assignment.resumes.get(0, ""),
            snapshot=self._snapshot_place(job.id, 0),
            snapshot_seconds=self._snapshot_seconds(),
            image=assignment.image,
        )
