"""The hires pass: a picture drawn at the model's size, made larger, and drawn over at that resolution — one job."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image as Picture

from ..domain.enlarging import hires_size
from ..domain.model_card import UPSCALER
from ..domain.request import LAST_STEP, GenerationRequest, SourceImage
from ..protocol.messages import Event, Generate, Image
from .branching import Approach
from .desk import Wish
from .drawing import Drawing, check_possible, parent_of
from .image_snapshots import ImageSnapshots
from .snapshot import Snapshot, UnusableSnapshot
from .state import State
from .upscale import Enlarging, Upscalers, lanczos


class HiresDrawing(Drawing):
    """Draws the first picture as any Drawing does; then the second pass goes on with it.

    Steps count through both passes. A snapshot of the second pass carries the first pass's picture, so that neither is
    drawn again. To be decoded again is the second pass's; the first one's picture stays what it was.
    """

    def __init__(self, *args: Any, upscalers: Upscalers) -> None:
        super().__init__(*args)
        self._upscalers = upscalers
        self._after = self._expected
        self.first_steps = 0
        #: The first picture at the second pass's size.
        self.larger: Picture.Image | None = None
        self._second: SecondPass | None = None
        self._passed = second_request(self._request)

    def call(self) -> Picture.Image:
        check_possible(self._passed, self._model.family.flow)
        first, state = self._first_pass()
        command = self._second_command(first)
        self._snapshots.carry(first, self.first_steps)
        self._second = SecondPass(
            command,
            *self._around,
            resume=state,
            snapshots=self._snapshots,
            before=self.first_steps,
            has_begun=self.has_begun,
        )
        return self._second.call()

    def began(self, step: int, steps: int) -> None:
        self.first_steps = steps
        super().began(step, steps)

    def _first_pass(self) -> tuple[Picture.Image, State | None]:
        """The picture of the first pass, and the state that the second goes on from where it has begun."""
        kept, branch = self._kept(), self._request.branch
        if kept is not None and kept.first is not None:
            self.first_steps = kept.first_steps
            return Picture.fromarray(kept.first.numpy()), self._gone_on_from(kept)
        if branch is None or branch.step != LAST_STEP:
            return super().call(), None
        parent = BothPasses(parent_of(self._command, branch), *self._around, upscalers=self._upscalers)
        first, state = parent.reach()
        self.first_steps, self.larger = parent.first_steps, parent.larger
        self.has_begun, self.notes = parent.has_begun, parent.notes
        return first, state

    def _second_command(self, first: Picture.Image) -> Generate:
        size = hires_size(self._request)
        self.larger = self.larger or self._enlarged(self._within_mask(first), *size)
        return replace(
            self._command,
            request=self._passed.to_dict(),
            resume="",
            image=self.larger.tobytes(),
            mask=self._mask.resize(size, Picture.Resampling.BILINEAR).tobytes() if self._command.mask else b"",
            conditions=_resized(self._command, self._request, size),
        )

    @property
    def _mask(self) -> Picture.Image:
        """At the first pass's size."""
        return Picture.frombytes("L", (self._request.width or 0, self._request.height or 0), self._command.mask)

    def _within_mask(self, first: Picture.Image) -> Picture.Image:
        """What the second pass goes on with: outside a mask the source picture itself, which no decoder gives back."""
        if not self._command.mask:
            return first
        return Picture.composite(first, Picture.frombytes("RGB", first.size, self._command.image), self._mask)

    def _enlarged(self, first: Picture.Image, width: int, height: int) -> Picture.Image:
        self._say_phase("enlarging")
        path = next((extra["path"] for extra in self._command.extras if extra["kind"] == UPSCALER), "")
        if not path:
            return lanczos(first, width, height)
        network = self._upscalers.get(str(path), self._model.device, lambda: self._say_phase("loading model"))

        def on_tile(done: int, tiles: int) -> None:
            self._say_phase("enlarging")  # all of them may take longer than an engine may say nothing

        return Enlarging(network, self._desk.leave_if_wished, on_tile).to_size(first, width, height)

    def _kept(self) -> Snapshot | None:
        """The snapshot to go on from, when it is one of the second pass."""
        if not self._command.resume:
            return None
        try:
            snapshot = self._snapshots.read(Path(self._command.resume))
        except UnusableSnapshot:
            return None
        return snapshot if snapshot.first is not None else None

    def _expected(self, steps: int) -> int:
        """How many steps the second pass will have, from what the first pass's scheduler made of its own; the second
        says so itself when it begins."""
        strengths = (
            1.0 if self._request.strength is None else self._request.strength,
            self._request.hires_strength or 0.0,
        )
        shares = [(self._request.steps or 1) * strength for strength in strengths]
        first, second = (math.ceil(share) if self._model.family.flow else int(share) for share in shares)
        twice = first > 1 and steps == 2 * first - 1
        return max(1, 2 * second - 1 if twice else second + steps - first)

    def _left(self, wish: Wish) -> Event:
        return super()._left(wish) if self._second is None else self._second.left(wish)

    def _finished(self, picture: Picture.Image) -> Image:
        if self._second is not None:
            self.note_as(self._second)
        return super()._finished(picture)


class SecondPass(Drawing):
    """Image-to-image on the enlarged first picture; its steps are counted on from those of the first pass."""

    def __init__(
        self, *args: Any, resume: State | None, snapshots: ImageSnapshots, before: int, has_begun: bool
    ) -> None:
        """`snapshots` are those of the first pass: both are one image; `before` are its steps, `has_begun` when it said
        so."""
        super().__init__(*args)
        self._state, self._snapshots = resume, snapshots
        self._before, self.has_begun = before, has_begun

    def left(self, wish: Wish) -> Event:
        return self._left(wish)

    def _resumable(self) -> State | None:
        return self._state


class BothPasses(HiresDrawing):
    """A parent picture's, as far as the second's last step: for its latents, which another autoencoder shall decode."""

    def reach(self) -> tuple[Picture.Image, State]:
        """The first pass's picture and the second's last state; raises Leave when somebody wishes so on the way."""
        first, state = self._first_pass()
        command = replace(self._second_command(first), snapshot="")
        second = Approach(command, *self._around, until=LAST_STEP, before=self.first_steps, has_begun=self.has_begun)
        last = second.reach(state)
        self.has_begun = second.has_begun
        self.note_as(second)
        return first, last


def second_request(request: GenerationRequest) -> GenerationRequest:
    """What the second pass draws: over the whole picture, or inside the mask again."""
    width, height = hires_size(request)
    return replace(
        request,
        width=width,
        height=height,
        image=SourceImage(sha256="", width=width, height=height),
        strength=request.hires_strength,
        hires_factor=None,
        hires_strength=None,
        upscaler=None,
        until=None,
        branch=None,
    )


def _resized(command: Generate, request: GenerationRequest, size: tuple[int, int]) -> bytes:
    """The pictures of controls at the second pass's size."""
    small = (request.width or 0, request.height or 0)
    length = small[0] * small[1] * 3
    pictures = [command.conditions[at : at + length] for at in range(0, len(command.conditions), length)]
    return b"".join(lanczos(Picture.frombytes("RGB", small, rows), *size).tobytes() for rows in pictures)
