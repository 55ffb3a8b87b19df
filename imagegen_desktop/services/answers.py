"""The result cache: a request that was drawn before is answered from history at once, by the very same images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..database.connection import Library
from ..database.facts import get_fact, set_fact
from ..database.images import Images
from ..database.jobs import stamp
from ..database.rows import request_key
from ..domain.image import GeneratedImage
from ..domain.job import Job
from ..domain.model_card import ModelCard
from ..domain.request import GenerationRequest
from .model_library import ModelLibrary


class Answers:
    """An answer is only given while the model's files are the ones the images were drawn with."""

    def __init__(self, library: Library, images: Images, models: ModelLibrary) -> None:
        self._library = library
        self._images = images
        self._models = models

    def learn(self, request: GenerationRequest, model_hash: str) -> None:
        """Remembers which weights (by their hash) lay in a model's folder when it was used."""
        name = _fact(self._models.get(request.model or ""))
        if model_hash and get_fact(self._library, name) != model_hash:
            set_fact(self._library, name, model_hash)

    def find(self, job: Job, added: Sequence[Path] = ()) -> list[GeneratedImage]:
        """The images of every seed of the job, or nothing unless all are there and younger than what is `added` to the
        model."""
        if not job.request.use_cache or self._images.find_same_request(request_key(job.request.only(0))) is None:
            return []  # by far the most often, and known without looking at the model's files
        model_hash = get_fact(self._library, _fact(self._models.get(job.request.model or "")))
        if not model_hash:
            return []
        found, youngest = [], max((_put_there(path) for path in added), default="")
        for index in range(job.request.count):
            image = self._images.find_same_request(request_key(job.request.only(index)), model_hash)
            if image is None or image.created <= youngest:
                return []
            found.append(image)
        return found


def _put_there(path: Path) -> str:
    """When a file or folder came to be what and where it is."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    times = [time for file in files for time in (file.stat().st_mtime, file.stat().st_ctime)]
    return stamp(datetime.fromtimestamp(max(times, default=0.0), UTC))


def _fact(model: ModelCard) -> str:
    """Names the state of a model's files: any changed, added or removed file gives another name."""
    place = Path(model.path)
    files = [place] if place.is_file() else sorted(file for file in place.rglob("*") if file.is_file())
    details = ((file, file.stat()) for file in files)
    state = "|".join(f"{file}:{detail.st_size}:{detail.st_mtime_ns}" for file, detail in details)
    return f"weights:{hashlib.sha256(state.encode()).hexdigest()}"
