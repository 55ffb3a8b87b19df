"""A finished picture decoded again: from what is kept of it, with the model's own autoencoder and with another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.image import GeneratedImage
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.protocol.messages import Step
from imagegen_desktop.services.announce import Announcement, JobEvent
from imagegen_desktop.services.assemble import Parts, assemble
from imagegen_desktop.services.decoding import autoencoders, decoding
from imagegen_desktop.services.enlarging import upscaling
from tests import tiny_additions
from tests.end_to_end.conftest import Call

pytestmark = pytest.mark.slow


@pytest.fixture
def parts(home: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    monkeypatch.setenv("IMAGEGEN_DESKTOP_THREADS", "1")
    monkeypatch.setenv("IMAGEGEN_DESKTOP_SNAPSHOT_SECONDS", "0")
    tiny_additions.autoencoder(home / "models" / "soft")
    made = assemble(Home(home))
    yield made
    made.close()


def draw(parts: Parts, wish: GenerationRequest) -> tuple[GeneratedImage, int]:
    """The newest picture of a wish, and how many steps it took."""
    steps: list[Step] = []

    def hear(heard: Announcement) -> None:
        if isinstance(heard, JobEvent) and isinstance(heard.event, Step):
            steps.append(heard.event)

    unsubscribe = parts.announce.subscribe(hear)
    job = parts.queue.add(wish)
    while parts.runner.work_once():
        pass
    unsubscribe()
    [image] = [image for image in parts.gallery.page() if image.job == job.id]
    return image, len(steps)


def test_from_the_library_to_the_library(parts: Parts, tiny: Path, home: Path) -> None:
    wish = GenerationRequest(prompt="a fox", model=str(tiny), width=64, height=64, steps=40, seed=3, sampler="Euler a")
    first, whole = draw(parts, wish)
    assert whole == 40
    assert (home / "snapshots" / "finished" / f"{first.id}.safetensors").is_file()

    same, steps = draw(parts, decoding(first))
    assert (same.pixels_sha256, same.parents) == (first.pixels_sha256, (first.id,))
    assert steps < 40, "what is kept of it is not drawn again"

    assert autoencoders(parts.models) == ["soft"]
    other, steps = draw(parts, decoding(first, "soft"))
    assert steps < 40
    assert other.parents == (first.id,)
    assert other.request.vae == "soft"
    from_the_start, _ = draw(parts, GenerationRequest(**vars(wish) | {"vae": "soft"}))
    assert other.pixels_sha256 == from_the_start.pixels_sha256 != first.pixels_sha256

    again, _ = draw(parts, decoding(other))  # and back, from the picture that was decoded again
    assert again.pixels_sha256 == first.pixels_sha256
    assert again.parents == (other.id,)

    for file in (home / "snapshots" / "finished").iterdir():
        file.unlink()
    late, steps = draw(parts, replace(decoding(first, "soft"), use_cache=False))
    assert steps == 40, "without its latents it is drawn to the end again"
    assert late.pixels_sha256 == other.pixels_sha256


def test_what_cannot_be_decoded_again_is_said_in_one_line(parts: Parts, tiny: Path, call: Call) -> None:
    wish = GenerationRequest(prompt="a fox", model=str(tiny), width=64, height=64, steps=2, seed=3)
    image, _ = draw(parts, wish)
    for bad, code, said in (
        (("nobody",), 3, "nobody"),
        ((image.id, "--vae", "hard"), 2, "soft"),
    ):
        refused = call("decode-again", *bad)
        assert refused.returncode == code, refused.stderr
        [line] = refused.stderr.splitlines()
        assert said in line
    larger, _ = draw(parts, upscaling(parts.sources.keep(parts.gallery.file(image)), 2.0))
    with pytest.raises(BadInput, match="not only enlarged"):
        decoding(larger)


def test_a_picture_of_two_passes_is_decoded_again(parts: Parts, tiny: Path, home: Path) -> None:
    passes = {"hires_factor": 1.5, "hires_strength": 0.5, "width": 64, "height": 64, "steps": 40, "sampler": "Euler a"}
    twice, whole = draw(parts, GenerationRequest(prompt="a fox", model=str(tiny), seed=3, **passes))  # type: ignore[arg-type]
    same, steps = draw(parts, decoding(twice))
    assert (same.pixels_sha256, same.parents) == (twice.pixels_sha256, (twice.id,))
    assert steps < whole == 60, "what is kept of it is not drawn again"

    soft, steps = draw(parts, decoding(twice, "soft"))
    assert steps < whole
    assert (soft.width, soft.height) == (96, 96)
    assert soft.pixels_sha256 != twice.pixels_sha256

    for file in (home / "snapshots" / "finished").iterdir():
        file.unlink()
    late, steps = draw(parts, replace(decoding(twice, "soft"), use_cache=False))
    assert steps == whole, "without its latents both passes are drawn again"
    assert late.pixels_sha256 == soft.pixels_sha256
