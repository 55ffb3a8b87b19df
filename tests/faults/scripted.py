"""A provider in our own process that does what a test tells it, and the homes such tests live in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from imagegen_desktop.domain.families import TEXT
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.paths import Home
from imagegen_desktop.protocol.messages import Cancelled, Decoding, Failed, Image, Paused, Started, Step
from imagegen_desktop.providers.base import Assignment, Capabilities, ProviderEvent
from imagegen_desktop.services.assemble import Parts, assemble
from tests.fake_engine import pixels_of

Act = Callable[[str], object]
_MODEL = {
    "model_index.json": {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "PNDMScheduler"],
    },
    "unet/config.json": {"sample_size": 8, "cross_attention_dim": 768},
    "vae/config.json": {"block_out_channels": [8, 8, 8, 8]},
    "scheduler/scheduler_config.json": {"_class_name": "PNDMScheduler"},
}


def new_home(root: Path) -> Path:
    """A home with the model `paper`, which looks like one and holds no weights."""
    for name, content in _MODEL.items():
        file = root / "models" / "paper" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    return root


def wish(prompt: str = "a fox", **changes: object) -> GenerationRequest:
    values: dict[str, object] = {"prompt": prompt, "model": "paper", "width": 16, "height": 16, "steps": 4, "seed": 5}
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


def opened(home: Path, provider: ScriptedProvider | None = None, owner: Callable[[], str] | None = None) -> Parts:
    """The services on a home, with a provider that needs no engine."""
    return assemble(Home(home), engine=False, providers={"local": provider or ScriptedProvider()}, owner=owner)


class ScriptedProvider:
    """Draws every image at once; `at_step` acts before a step of the image being drawn, once."""

    name = "local"

    def __init__(self) -> None:
        self.at_step: tuple[int, Act] | None = None
        self.dying = False
        self._stops: dict[str, type[Cancelled] | type[Paused]] = {}

    def capabilities(self) -> Capabilities:
        return Capabilities(title="This computer", local=True, tasks=(TEXT,))

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        job, request = assignment.job.id, assignment.job.request
        self._stops.pop(job, None)
        for index in range(assignment.first_index, request.count):
            steps = request.steps or 1
            yield Started(job=job, index=index, steps=steps)
            for step in range(1, steps + 1):
                self._act(job, step)
                if self.dying:
                    self.dying = False
                    yield Failed(job=job, kind="engine_died", message="The engine crashed.")
                    return
                stop = self._stops.pop(job, None)
                if stop is Cancelled:
                    yield Cancelled(job=job, index=index, step=step - 1)
                    return
                if stop is Paused:
                    yield Paused(job=job, index=index, step=step - 1, steps=steps)
                    return
                yield Step(job=job, index=index, step=step, steps=steps, seconds=0.0)
            yield Decoding(job=job, index=index)
            yield self._image(job, index, request)

    def cancel(self, job: str) -> None:
        self._stops[job] = Cancelled

    def pause(self, job: str) -> None:
        self._stops[job] = Paused

    def close(self) -> None:
        pass

    def _act(self, job: str, step: int) -> None:
        if self.at_step is not None and self.at_step[0] == step:
            act, self.at_step = self.at_step[1], None
            act(job)

    def _image(self, job: str, index: int, request: GenerationRequest) -> Image:
        seed = request.seed_of(index)
        pixels = pixels_of(request, seed)
        width, height = request.width or 8, request.height or 8
        return Image(job=job, index=index, seed=seed, width=width, height=height, seconds=0.01, pixels=pixels)
