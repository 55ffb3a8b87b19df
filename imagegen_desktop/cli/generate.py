"""`generate`: one job in the foreground, which also lands in the library."""

from __future__ import annotations

import argparse
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..domain.errors import BadInput, DiskProblem, Problem
from ..domain.image import GeneratedImage
from ..domain.job import Job, JobState
from ..domain.outpainting import OUTPAINT_STRENGTH
from ..domain.request import GenerationRequest, SourceImage, validate
from ..protocol.messages import Decoding, Loading, Step
from ..services.announce import Announcement, ImagesChanged, JobAnswered, JobEvent
from ..services.assemble import Parts
from ..services.exchange import ENDINGS, write_copy
from . import added, output, session
from .providers import tell

EXIT_INTERRUPTED = 130


def generate(options: argparse.Namespace) -> int:
    """Draws now; prints the path of each picture, or one JSON object a line."""
    request = request_from(options)
    target = Target(options.output, options.overwrite, request.count)
    with session.parts() as parts:
        if options.snapshot_every is not None:
            parts.settings.override("snapshot_seconds", options.snapshot_every)
        if options.enhance:
            request = enhanced(parts, request)
        job = parts.queue.add(with_pictures(parts, request, options), owner=parts.runner.owner)
        return draw(parts, job, options.json, {job.id: target})


def draw(parts: Parts, job: Job, as_json: bool, targets: dict[str, Target] | None = None) -> int:
    """Drives a job that is ours to its end and reports it; the exit code."""
    for note in parts.compose.fitted(job.request).notes:
        output.warn(note)
    reporter = Reporter(parts, as_json, targets)
    with reporter, session.pausing_when_interrupted(parts):
        ended = parts.runner.run(job)
    reporter.finish(ended)
    return exit_code(ended, reporter.problem)


def enhanced(parts: Parts, request: GenerationRequest) -> GenerationRequest:
    """The request with a better prompt; says on stderr what it became and who wrote it."""
    parts.compose.check_names(request)
    suggestion = parts.enhancer.suggest(request)
    if suggestion is None:
        return request
    output.warn(f"prompt: {suggestion.text}")
    tell(suggestion)
    return replace(request, prompt=suggestion.text)


def request_from(options: argparse.Namespace) -> GenerationRequest:
    """The request the options describe, without its pictures; raises BadInput for what can be seen without them."""
    request = GenerationRequest(**given(options))
    # With a picture to start from no word is needed.
    validate(replace(request, prompt=request.prompt or "picture") if options.image is not None else request)
    return request


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Only what was typed, by the request's field names."""
    names = (
        "prompt",
        "negative_prompt",
        "style",
        "model",
        "provider",
        "width",
        "height",
        "steps",
        "guidance",
        "sampler",
        "seed",
        "count",
        "quality",
        "background",
        "device",
        "priority",
        "clip_skip",
        "tiling",
        "variation_seed",
        "variation_strength",
        "vae",
        "hires_factor",
        "hires_strength",
        "upscaler",
    )
    values = {name: getattr(options, name, None) for name in names}
    if options.strength is not None and options.image is None:
        raise BadInput("strength", options.strength, "only together with --image")
    if options.mask is not None and options.image is None:
        raise BadInput("mask", options.mask, "only together with --image")
    _check_outpaint(options)
    if getattr(options, "no_cache", False):
        values["use_cache"] = False
    if options.loras:
        values["loras"] = tuple(options.loras)
    return {name: value for name, value in values.items() if value is not None}


def with_pictures(parts: Parts, request: GenerationRequest, options: argparse.Namespace) -> GenerationRequest:
    """The request with its pictures decoded and kept, once all else is known to be possible."""
    stand_in = SourceImage(sha256="", width=512, height=512)
    parts.compose.complete(
        replace(
            request,
            prompt=request.prompt or "picture",
            image=None if options.image is None else stand_in,
            mask=None if options.mask is None else stand_in,
            strength=options.strength,
            **added.pictured(options),
        )
    )
    request = replace(request, **added.pictured(options, parts.sources))
    if options.image is None:
        return request
    image = parts.sources.keep(options.image)
    if getattr(options, "outpaint", None):
        return _outpainted(parts, request, image, options)
    mask = parts.sources.keep(options.mask) if options.mask is not None else None
    return replace(request, image=image, mask=mask, strength=options.strength)


def _check_outpaint(options: argparse.Namespace) -> None:
    """The frame decides size and mask itself."""
    sides = getattr(options, "outpaint", None)
    if sides is None:
        return
    if options.image is None:
        raise BadInput("outpaint", "this", "only together with --image")
    for name in ("mask", "width", "height"):
        if getattr(options, name) is not None:
            raise BadInput(name, getattr(options, name), "not together with --outpaint, which decides it")


def _outpainted(
    parts: Parts, request: GenerationRequest, image: SourceImage, options: argparse.Namespace
) -> GenerationRequest:
    """The request for the larger picture, in which only what is new is painted."""
    multiple = parts.compose.model(request.model).traits.size_multiple
    sides = options.outpaint.fitted(image.width, image.height, multiple)
    larger, mask = parts.sources.extend(image, sides)
    strength = OUTPAINT_STRENGTH if options.strength is None else options.strength
    return replace(request, image=larger, mask=mask, width=larger.width, height=larger.height, strength=strength)


class Target:
    """Where -o writes. Everything that can be known beforehand is checked before anything is drawn."""

    def __init__(self, output: str | None, overwrite: bool, count: int) -> None:
        self._path = path = None if output is None else Path(output)
        self._overwrite = overwrite
        self._folder = path is not None and (path.is_dir() or str(output).endswith(("/", os.sep)))
        if path is None or self._folder:
            return
        if path.suffix.lower() not in ENDINGS:
            raise BadInput("output", str(path), "a folder, or a file that ends in " + ", ".join(ENDINGS))
        if count > 1 and "{n}" not in path.name:
            raise BadInput("output", str(path), "with --count above 1, a folder or a name with {n} in it")
        for index in range(count):
            self._check_free(self._file(index))
        if not path.parent.is_dir():
            raise BadInput("output", str(path), f"a place in a folder that exists; {path.parent} does not")

    def write(self, image: GeneratedImage, library_file: Path) -> Path:
        """Writes the picture and returns where; the library's own file without -o."""
        if self._path is None:
            return library_file
        if self._folder:
            self._path.mkdir(parents=True, exist_ok=True)
            file = self._path / library_file.name
        else:
            file = self._file(image.index)
        write_copy(library_file, file, self._overwrite)
        return file

    def _file(self, index: int) -> Path:
        assert self._path is not None
        return self._path.with_name(self._path.name.replace("{n}", str(index + 1)))

    def _check_free(self, file: Path) -> None:
        if file.is_dir() or (file.exists() and not self._overwrite):
            raise BadInput("output", str(file), "a file that does not exist yet, or --overwrite")


class Reporter:
    """Prints what happens to the jobs of this call, as it happens."""

    def __init__(self, parts: Parts, as_json: bool, targets: dict[str, Target] | None = None) -> None:
        self.problem: Problem | None = None
        self._parts = parts
        self._json = as_json
        self._targets = targets
        self._bar = output.ProgressBar()
        self._printing = threading.Lock()

    def __enter__(self) -> Reporter:
        self._unsubscribe = self._parts.announce.subscribe(self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        self._unsubscribe()
        self._bar.clear()

    def finish(self, job: Job) -> None:
        """The last word on a job."""
        if job.state is JobState.PAUSED and job.step != job.request.until:
            self._bar.clear()
            output.warn(f"paused at step {job.step} of {job.steps}; queue resume {job.id} and queue run go on")
        if not self._json:
            return
        event = {JobState.DONE: "done", JobState.CANCELLED: "cancelled", JobState.PAUSED: "paused"}.get(
            job.state, "failed"
        )
        preview = self._parts.sheets.preview_of(job.id)
        told = {"event": event, "job": job.id, "error": output.error_dict(job.error)}
        with self._printing:
            output.print_json(told | ({"step": job.step, "preview": str(preview)} if preview else {}))

    def say_id(self, job: Job) -> None:
        """For a person: the ID by which a waiting job is finished later."""
        if not self._json:
            output.say(job.id)

    def _heard(self, announcement: Announcement) -> None:
        with self._printing:
            if isinstance(announcement, JobEvent):
                self._event(announcement)
            elif isinstance(announcement, ImagesChanged):
                for image in announcement.added:
                    self._image(self._parts.gallery.get(image))
            elif isinstance(announcement, JobAnswered):
                for index, image in enumerate(announcement.images):
                    self._image(replace(self._parts.gallery.get(image), job=announcement.job, index=index))

    def _event(self, announcement: JobEvent) -> None:
        event = announcement.event
        if isinstance(event, Step):
            if self._json:
                output.print_json(
                    {"event": "step", "job": event.job, "image": event.index, "step": event.step, "steps": event.steps}
                )
            else:
                self._bar.show(
                    f"image {event.index + 1}", event.step, event.steps, event.seconds * (event.steps - event.step)
                )
        elif isinstance(event, Loading):
            self._bar.phase(event.phase)
        elif isinstance(event, Decoding):
            self._bar.phase("decoding")

    def _image(self, image: GeneratedImage) -> None:
        if self._targets is not None and image.job not in self._targets:
            return
        library_file = self._parts.gallery.file(image)
        path = library_file
        if self._targets is not None:
            try:
                path = self._targets[image.job].write(image, library_file)
            except Problem as problem:
                self.problem = problem
            except OSError as error:
                self.problem = DiskProblem(
                    f"{error.filename}: {error.strerror}.", f"The picture is kept at {library_file}."
                )
        self._bar.clear()
        if self._json:
            output.print_json(_image_event(image, path, library_file))
        elif self.problem is None:
            output.say(str(path))


def _image_event(image: GeneratedImage, path: Path, library_file: Path) -> dict[str, Any]:
    return {
        "event": "image",
        "job": image.job,
        "id": image.id,
        "path": str(path),
        "library_path": str(library_file),
        "seed": image.request.seed,
        "pixels_sha256": image.pixels_sha256,
        "file_sha256": image.file_sha256,
        "resumed_at": image.resumed_at,
        "provider": image.request.provider,
        "cost": image.cost,
    }


def exit_code(job: Job, problem: Problem | None) -> int:
    """0 for a job that is done; raises what went wrong otherwise."""
    if problem is not None:
        raise problem
    if job.state in (JobState.DONE,):
        return 0
    if job.state in (JobState.PAUSED, JobState.QUEUED):
        return EXIT_INTERRUPTED
    if job.error is not None:
        raise Problem(job.error.message, job.error.advice)
    return 1
