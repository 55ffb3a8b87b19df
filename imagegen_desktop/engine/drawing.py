"""One image being drawn: the pipeline call, and what is told while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image as Picture

from ..domain.errors import BadInput
from ..domain.request import BranchPoint, GenerationRequest
from ..protocol.messages import (
    Cancelled,
    Decoding,
    Event,
    Generate,
    Image,
    Loading,
    Paused,
    Preview,
    Started,
    Step,
    Tell,
)
from .arguments import arguments_for
from .decode import Decode, decode_within_memory
from .desk import Desk, Leave, Wish
from .image_snapshots import ImageSnapshots
from .load import LoadedModel
from .noise import seed_of_noise, varied
from .preview import Previews
from .prompting import Prompting
from .snapshot import Snapshot, SnapshotWriter, UnusableSnapshot
from .state import State
from .stepping import StepBoundary
from .tallies import Tallies
from .tiling import seamless


class Drawing:
    """Of one Generate command. Hears from the step boundary and passes on what is worth telling."""

    def __init__(
        self,
        command: Generate,
        model: LoadedModel,
        desk: Desk,
        tallies: Tallies,
        writer: SnapshotWriter,
        send: Tell,
        preview_every: int,
    ) -> None:
        self._command = command
        self._request = command.wish
        self._model = model
        self._desk = desk
        self._tallies = tallies
        self._writer = writer
        self._send = send
        self._preview_every = preview_every
        #: What another Drawing of the same job is made with, beside its command.
        self._around = model, desk, tallies, writer, send, preview_every
        self.notes = [model.plan.words] if model.plan.words else []
        self._resumed_at: int | None = None
        self._began = self._stepped = time.perf_counter()
        self._snapshots = ImageSnapshots(command, self._request, model, writer)
        self._previews = Previews(model.colours, self._as_picture)
        self._boundary: StepBoundary | None = None
        #: Steps that earlier passes of the same picture took, those that later ones will take when this one takes so
        #: many, and whether it was said that it has begun.
        self._before, self.has_begun = 0, False
        self._after: Callable[[int], int] = lambda steps: 0

    def draw(self) -> None:
        """Answers with Image, Cancelled or Paused; raises what went wrong."""
        try:
            answer: Event = self._finished(self.call())
        except Leave as leave:
            answer = self._left(leave.wish)
        finally:
            self._writer.drop()
        self._send(answer)

    def call(self) -> Picture.Image:
        """The pipeline call, past the step boundary; raises Leave when it is left."""
        check_possible(self._request, self._model.family.flow)
        self._desk.leave_if_cancelled()
        resume = self._resumable()
        seed = seed_of_noise(self._request)
        pipeline = self._prepared_pipeline(seed)
        # After that: what is loaded may draw by chance, and some samplers draw from the same source.
        torch.manual_seed(seed)
        generator = torch.Generator("cpu").manual_seed(seed)
        self._boundary = StepBoundary(
            pipeline, self._model.denoiser, generator, self._desk, self._tallies, self, resume
        )
        self._model.cache.on_encode = lambda: self._say_phase("encoding prompt")
        held = self._model.adapters.held(self._command, generator, self._boundary)
        with held, self._boundary.seams(), self._as_wished(pipeline, self._boundary) as words:
            picture: Picture.Image = pipeline(**words.told(self._arguments(pipeline, generator))).images[0]
        self.notes += words.notes
        return picture

    @contextmanager
    def _as_wished(self, pipeline: Any, boundary: StepBoundary) -> Iterator[Prompting]:
        """The pipeline with the request's words, edges and noise for a while."""
        words = Prompting(pipeline, self._command.family, self._model.adapters.spelled(self._request))
        tiled, varying = (
            seamless(pipeline, self._request.tiling, self._model.adapters.nets),
            varied(pipeline, self._request),
        )
        with words.changing(lambda: boundary.step), tiled, varying:
            yield words

    def note_as(self, part: Drawing) -> None:
        """Everything that drawing a part of the same picture left to say."""
        self.notes += [note for note in part.notes if note not in self.notes]

    # ---- before the call ----------------------------------------------------------------------------------

    def _prepared_pipeline(self, seed: int) -> Any:
        self.notes += self._model.add(self._request, self._command.extras)
        pipeline = self._model.pipeline(self._request.task)
        pipeline.vae = self._model.adapters.vae
        sampler, steps = self._request.sampler or "", self._request.steps or 1
        pipeline.scheduler = self._model.schedulers.fresh(sampler, seed, steps)
        return pipeline

    def _arguments(self, pipeline: Any, generator: torch.Generator) -> dict[str, Any]:
        pictures = self._command.image, self._command.mask
        return arguments_for(pipeline, self._model.family, self._request, pictures, generator)

    def _resumable(self) -> State | None:
        """The state to go on from; a snapshot that does not fit costs the steps, never the job."""
        branched = self._request.branch is not None
        if not self._command.resume:
            return self._approach() if branched else None
        try:
            snapshot = self._snapshots.read(Path(self._command.resume))
            if snapshot.first is not None:
                raise UnusableSnapshot("it is of a second pass")
        except UnusableSnapshot as reason:
            if branched:  # it may be one of the picture that the branch leaves
                return self._approach()
            self.notes.append(f"begun again from the first step: the snapshot cannot be used, {reason}")
            return None
        return self._gone_on_from(snapshot)

    def _gone_on_from(self, snapshot: Snapshot) -> State:
        changed = self._snapshots.changed_since(snapshot)
        if changed:
            self.notes.append(f"resumed, not guaranteed identical: {', '.join(changed)} changed since")
        self._resumed_at = snapshot.first_steps + snapshot.state.step
        return snapshot.state

    def _approach(self) -> State:
        """The state a branch begins with: the parent's, drawn to the step where they part."""
        from .branching import Approach

        branch = self._request.branch
        assert branch is not None
        parent = parent_of(self._command, branch)
        approach = Approach(parent, *self._around, until=branch.step, after=self._after)
        state = approach.reach()
        self.has_begun, self.notes = approach.has_begun, approach.notes
        return state

    # ---- the watcher --------------------------------------------------------------------------------------

    def began(self, step: int, steps: int) -> None:
        self._model.hash.begin()
        self._desk.step, self._desk.steps = self._before + step, self._before + steps + self._after(steps)
        self._stepped = time.perf_counter()
        self._snapshots.begin()
        if not self.has_begun:
            self.has_begun = True
            self._send(Started(**self._names, steps=self._desk.steps, step=self._desk.step))

    def stepped(self, step: int, latents: torch.Tensor, guess: Callable[[], torch.Tensor]) -> None:
        assert self._boundary is not None, "it is the one who tells"
        now = time.perf_counter()
        step += self._before
        self._desk.step = step
        self._snapshots.put_if_due(now, self._boundary.state, finished=step == self._desk.steps)
        seconds, self._stepped = now - self._stepped, now
        due = self._preview_every > 0 and step % self._preview_every == 0
        if step == self._request.until and step < self._desk.steps:
            self._desk.ask(Wish.PAUSE)
        look = self._previews.look(step, guess() if due else None)
        finished = Step(**self._names, step=step, steps=self._desk.steps, seconds=seconds)
        self._send(*([finished] if look is None else [finished, Preview(**self._names, **vars(look))]))

    def encoding_image(self) -> None:
        self._say_phase("encoding image")

    def decode(self, decode: Decode, latents: torch.Tensor, **options: Any) -> Any:
        """A finished sampling is never lost to a decoder that fails: its snapshot stays."""
        self._send(Decoding(**self._names))
        self._tallies.decodings += 1
        try:
            return decode_within_memory(self._model.adapters.vae, decode, latents, self.notes.append, **options)
        except Exception:
            assert self._boundary is not None, "it is the one who asks"
            self._snapshots.keep(self._boundary.state)
            raise

    def _as_picture(self, latents: torch.Tensor) -> torch.Tensor:
        """(1, channels, height, width)."""
        model, request = self._model, self._request
        return model.family.unpack(latents, model.text, request.height or 0, request.width or 0)

    # ---- after the call -----------------------------------------------------------------------------------

    def _finished(self, picture: Picture.Image) -> Image:
        self._model.images += 1
        return Image(
            **self._names,
            seed=self._request.seed_of(0),
            width=picture.width,
            height=picture.height,
            seconds=time.perf_counter() - self._began,
            model_hash=self._model.hash.value(wait=self._model.images > 1),
            resumed_at=self._resumed_at,
            notes=self.notes,
            hashes=self._model.adapters.hashes(self._request, self._command.extras),
            pixels=picture.tobytes(),
        )

    def _left(self, wish: Wish) -> Event:
        boundary = self._boundary
        step = self._before + (boundary.step if boundary else 0)
        if wish is Wish.CANCEL:
            return Cancelled(**self._names, step=step)
        # Left before its own first step there is nothing to keep.
        kept = self._snapshots.keep(boundary.state) if boundary else ""
        return Paused(**self._names, step=step, steps=self._desk.steps, snapshot=kept)

    def _say_phase(self, phase: str) -> None:
        self._send(Loading(job=self._command.job, phase=phase))

    @property
    def _names(self) -> dict[str, Any]:
        return {"job": self._command.job, "index": self._command.index}


def parent_of(command: Generate, branch: BranchPoint) -> Generate:
    """What draws the path that a branch leaves."""
    return replace(command, request=branch.origin.request.to_dict(), snapshot="")


def check_possible(request: GenerationRequest, flow: bool) -> None:
    """Raises BadInput for what would end in a pipeline's own, stranger words."""
    if request.strength is None:
        return
    # Flow pipelines round the part of the schedule they skip down, the others the part they run.
    if request.strength <= 0 or (not flow and int((request.steps or 1) * request.strength) < 1):
        least = 1 / (request.steps or 1)
        raise BadInput("strength", request.strength, f"at least {least:.2g} with {request.steps} steps")
