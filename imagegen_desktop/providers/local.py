"""The local provider: jobs for the engine on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..domain.families import IMAGE, INPAINT, TEXT
from ..protocol.messages import Cancel, Cancelled, Failed, Generate, Image, Pause, Paused, Started, Upscale
from .base import Assignment, Capabilities, ProviderEvent
from .engine_process import EngineProcess

#: Seconds between two snapshots that no step can stay below.
EVERY_STEP = 1e-6

#: Where an image's snapshot lies, and how many seconds may pass between two.
SnapshotPlace = Callable[[str, int], str]


class LocalProvider:
    """Sends the images of a job one ahead of the one being drawn, so that the engine never waits for us."""

    name = "local"

    def __init__(self, engine: EngineProcess, snapshot_place: SnapshotPlace, snapshot_seconds: Callable[[], float]):
        self._engine = engine
        self._snapshot_place = snapshot_place
        self._snapshot_seconds = snapshot_seconds

    def capabilities(self) -> Capabilities:
        return Capabilities(title="This computer", local=True, tasks=(TEXT, IMAGE, INPAINT))

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        job = assignment.job
        last = job.request.count - 1
        with self._engine.listen(job.id) as next_event:
            self._engine.send(self._command(assignment, assignment.first_index), only=next_event.child)
            while True:
                event = next_event()
                if isinstance(event, Started) and event.index < last:
                    self._engine.send(self._command(assignment, event.index + 1), only=next_event.child)
                yield event  # type: ignore[misc]
                if isinstance(event, Failed) and event.kind != "engine_died":
                    self.cancel(job.id)
                if isinstance(event, Cancelled | Paused | Failed) or (isinstance(event, Image) and event.index == last):
                    return

    def cancel(self, job: str) -> None:
        self._engine.tell(Cancel(job=job))

    def pause(self, job: str) -> None:
        self._engine.tell(Pause(job=job))

    def close(self) -> None:
        self._engine.close()

    def _command(self, assignment: Assignment, index: int) -> Generate | Upscale:
        job = assignment.job
        if job.request.upscale is not None:
            return _upscaling(assignment)
        assert assignment.model is not None
        return Generate(
            job=job.id,
            index=index,
            request=job.request.to_dict(),
            model_path=assignment.model.path,
            family=assignment.model.family,
            kit=assignment.model.kit,
            resume=assignment.resumes.get(index, ""),
            snapshot=self._snapshot_place(job.id, index),
            snapshot_seconds=self._snapshot_seconds(),
            image=assignment.image,
            mask=assignment.mask,
            extras=assignment.extras,
            conditions=assignment.conditions,
        )


def _upscaling(assignment: Assignment) -> Upscale:
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
        image=assignment.image,
    )
