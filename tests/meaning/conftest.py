"""The program with the model it ships: what is drawn can be looked at for its meaning."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imagegen_desktop.domain.image import GeneratedImage
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.domain.request import BranchPoint, GenerationRequest, SourceImage
from imagegen_desktop.paths import Home
from imagegen_desktop.services.assemble import Parts, assemble
from tests.pictures import png_of_rows

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "packaging" / "starter_model"))

Pixels = NDArray[np.uint8]


class Studio:
    """Draws through queue, provider and engine, and hands out the finished pictures' pixels."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def draw(self, prompt: str, **settings: Any) -> list[Pixels]:
        """One picture for each of `count` seeds; the model's own numbers unless settings say otherwise."""
        values = {"prompt": prompt, "model": "starter", "seed": 100, "count": 4, "use_cache": False} | settings
        return self.run(GenerationRequest(**values))

    def run(self, request: GenerationRequest) -> list[Pixels]:
        job = self.parts.runner.run(self.parts.queue.add(request, owner=self.parts.runner.owner))
        assert job.state is JobState.DONE, job.error
        images = sorted((image for image in self.parts.gallery.page() if image.job == job.id), key=lambda i: i.index)
        return [np.asarray(Image.open(self.parts.gallery.file(image)).convert("RGB")) for image in images]

    def branch(self, image: GeneratedImage, step: int, prompt: str) -> Pixels:
        """What becomes of a picture when it goes on from `step` with another prompt."""
        point = BranchPoint(step=step, image=image.id, request=image.request)
        return self.run(replace(image.request, prompt=prompt, branch=point, use_cache=False))[0]

    def keep(self, picture: Pixels) -> SourceImage:
        """A picture to start from, or a mask."""
        rows = b"".join(b"\0" + row.tobytes() for row in picture)
        return self.parts.sources.keep(png_of_rows(picture.shape[1], picture.shape[0], rows))


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    parts = assemble(Home(tmp_path_factory.mktemp("home")))
    yield Studio(parts)
    parts.close()
