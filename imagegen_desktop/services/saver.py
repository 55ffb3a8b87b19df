"""Saving a finished image: encoded, durable on disk, then its row; only then is it said to be finished."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..database.images import Images
from ..database.jobs import stamp
from ..database.thumbnails import Thumbnails
from ..domain.identity import new_id
from ..domain.image import GeneratedImage
from ..domain.job import Job
from ..imaging.encode import encode_png
from ..imaging.picture import Picture
from ..imaging.recipe import Recipe
from ..imaging.thumbnails import thumbnail_of
from ..protocol.messages import Image, Preview
from ..storage.base import SavedFile
from ..storage.durable import write_durably
from ..storage.local import LocalStorage
from .announce import Announcer, ImagesChanged, JobsChanged


class Saver:
    """One thread that saves, so that neither the engine nor whoever listens to it waits for a disk."""

    def __init__(self, storage: LocalStorage, images: Images, thumbnails: Thumbnails, announce: Announcer) -> None:
        self._storage = storage
        self._images = images
        self._thumbnails = thumbnails
        self._announce = announce
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="saver")

    def save_soon(
        self,
        job: Job,
        event: Image,
        parents: tuple[str, ...] = (),
        alpha: bytes | None = None,
        cost: float | None = None,
        after: Sequence[Future[GeneratedImage]] = (),
    ) -> Future[GeneratedImage]:
        """Saves in the background, but not unless those before it could be: a job's images leave no gap."""

        def save() -> GeneratedImage:
            for earlier in after:
                earlier.result()
            return self.save(job, event, parents, alpha, cost)

        return self._pool.submit(save)

    def save(
        self,
        job: Job,
        event: Image,
        parents: tuple[str, ...] = (),
        alpha: bytes | None = None,
        cost: float | None = None,
    ) -> GeneratedImage:
        """The committed record; raises DiskProblem or DatabaseProblem, and then nothing half-written stays.
        `cost` in dollars, None where there is none or nobody says."""
        created = datetime.now(UTC)
        recipe = Recipe(
            request=job.request.only(event.index),
            image=new_id(),
            job=job.id,
            index=event.index,
            model_hash=event.model_hash,
            app_version=__version__,
            created=stamp(created),
            resumed_at=event.resumed_at,
            parents=parents,
            notes=tuple(event.notes),
            hashes=event.hashes,
            environment={} if cost is None else {"cost": f"{cost:.4f} USD"},
        )
        picture = Picture(width=event.width, height=event.height, rgb=event.pixels, alpha=alpha)
        data = encode_png(picture, recipe)
        saved = self._storage.save(data, _file_name(created, recipe.request.seed, recipe.image), created)
        image = _record(recipe, event, picture.sha256, saved, cost)
        kept = self._images.add(image, finished=stamp(datetime.now(UTC)))
        self._thumbnails.put(kept.number, thumbnail_of(picture))
        self._announce.publish(ImagesChanged(added=(kept.id,)))
        self._announce.publish(JobsChanged(ids=(job.id,)))
        return kept

    def save_preview(self, preview: Preview, place: Path) -> None:
        """Keeps the look of a half-done image as a PNG."""
        picture = Picture(width=preview.width, height=preview.height, rgb=preview.pixels)
        write_durably(place, encode_png(picture), overwrite=True)

    def close(self) -> None:
        """Waits for what is being saved."""
        self._pool.shutdown()


def _record(recipe: Recipe, event: Image, pixels: str, saved: SavedFile, cost: float | None) -> GeneratedImage:
    return GeneratedImage(
        id=recipe.image,
        job=recipe.job,
        index=recipe.index,
        path=saved.path,
        created=recipe.created,
        width=event.width,
        height=event.height,
        file_size=saved.size,
        file_sha256=saved.sha256,
        pixels_sha256=pixels,
        request=recipe.request,
        model_hash=recipe.model_hash,
        seconds=event.seconds,
        cost=cost,
        resumed_at=recipe.resumed_at,
        parents=recipe.parents,
    )


def _file_name(created: datetime, seed: int | None, image_id: str) -> str:
    middle = "" if seed is None else f"{seed}-"
    return f"{created:%Y-%m-%d-%H%M%S}-{middle}{image_id[-6:]}.png"
