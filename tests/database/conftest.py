"""An empty library, and a maker of jobs and images for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagegen_desktop.database.connection import Library, open_library
from imagegen_desktop.domain.image import GeneratedImage
from imagegen_desktop.domain.job import Job, JobState
from imagegen_desktop.domain.request import GenerationRequest


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path / "library.sqlite3", tmp_path / "backups") as opened:
        yield opened


@pytest.fixture(scope="session")
def make_job() -> Any:
    return _job


@pytest.fixture(scope="session")
def make_image() -> Any:
    return _image


def _job(job_id: str, **values: Any) -> Job:
    request = values.pop("request", None) or GenerationRequest(prompt=f"picture {job_id}", seed=1, model="starter")
    return Job(
        **{"id": job_id, "state": JobState.QUEUED, "request": request, "created": "2026-11-21T12:00:00Z"} | values
    )


def _image(image_id: str, job: str = "", index: int = 0, **values: Any) -> GeneratedImage:
    prompt = values.pop("prompt", f"picture {image_id}")
    request = values.pop("request", None) or GenerationRequest(prompt=prompt, seed=7, model="starter")
    image = GeneratedImage(
        id=image_id, job=job or f"job-{image_id}", index=index, path=f"images/2026/11/{image_id}.png",
        created="2026-11-21T12:00:00Z", width=128, height=128, file_size=10, file_sha256=f"file-{image_id}",
        pixels_sha256=f"pixels-{image_id}", request=request,
    )  # fmt: skip
    return replace(image, **values)
