"""What a provider is handed with a job: the engine its model and raw pixels, the cloud a fitted request and files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..domain.enlarging import hires_size
from ..domain.job import Job
from ..domain.request import GenerationRequest
from ..providers.base import Assignment, Provider
from .additions import Additions
from .compose import Composer
from .enlarging import Enlargers
from .model_library import ModelLibrary
from .paid import PaidWork
from .snapshots import Snapshots
from .sources import Sources


class Assigner:
    """Prepares jobs for whoever draws them."""

    def __init__(
        self, models: ModelLibrary, sources: Sources, snapshots: Snapshots, compose: Composer, paid: PaidWork
    ) -> None:
        self._models = models
        self._sources = sources
        self._snapshots = snapshots
        self._compose = compose
        self._paid = paid
        self._additions = Additions(models)
        self._enlargers = Enlargers(models)

    def assignment(self, job: Job, provider: Provider) -> Assignment:
        if not provider.capabilities().local:
            return self._for_cloud(job)
        request = job.request
        if request.upscale is not None and request.image is not None:
            image, extras = self._sources.whole(request.image), self._enlargers.extras(request)
            return Assignment(job=job, image=image, extras=extras, resumes=self._snapshots.existing(job.id, range(1)))
        return Assignment(
            job=job,
            model=self._models.get(request.model or ""),
            image=self._sources.pixels(request.image, request) if request.image else b"",
            mask=self._sources.mask(request.mask, request) if request.mask else b"",
            extras=[*self._additions.extras(request), *self._enlargers.extras(request)],
            conditions=b"".join(self._sources.prepared(control, request).rgb for control in request.controls),
            references=b"".join(self._sources.square(each.image) for each in request.image_prompts),
            first_index=job.images_done,
            resumes=self._resumes(job),
        )

    def _resumes(self, job: Job) -> dict[int, str]:
        """Its own half-done images; a branch that has none begins with what is kept of the picture it leaves."""
        own = self._snapshots.existing(job.id, range(job.images_done, job.request.count))
        if own or job.request.branch is None:
            return own
        kept = self._snapshots.finished(job.request.branch.origin.image)
        return dict.fromkeys(range(job.images_done, job.request.count), kept) if kept else {}

    def outside(self, request: GenerationRequest, assignment: Assignment) -> tuple[bytes, bytes]:
        """What stays outside a mask, and the mask, both as large as what is drawn."""
        if request.hires_factor is None or request.image is None or request.mask is None:
            return assignment.image, assignment.mask
        width, height = hires_size(request)
        larger = replace(request, width=width, height=height)
        return self._sources.pixels(request.image, larger), self._sources.mask(request.mask, larger)

    def added(self, request: GenerationRequest) -> list[Path]:
        """The files and folders of what the request adds to its model."""
        extras = [*self._additions.extras(request), *self._enlargers.extras(request)]
        return [Path(extra["path"]) for extra in extras]

    def _for_cloud(self, job: Job) -> Assignment:
        fitted = self._compose.fitted(job.request)
        request, image, mask = fitted.request, fitted.request.image, fitted.request.mask
        return Assignment(
            job=replace(job, request=request),
            image=self._sources.image_file(image, request) if image else b"",
            mask=self._sources.mask_file(mask, request) if mask else b"",
            cutout=self._sources.cutout_file(image, mask, request) if image and mask else b"",
            first_index=job.images_done,
            submitted=self._paid.submitted(job),
            notes=fitted.notes,
        )
