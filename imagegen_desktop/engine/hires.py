"""The hires pass: a picture drawn at the model's size, made larger, and drawn over at that resolution — one job."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image as Picture

from ..domain.enlarging import hires_size
from ..domain.model_card import UPSCALER
from ..domain.request import GenerationRequest, SourceImage
from ..protocol.messages import Cancelled, Event, Generate, Image, Paused, Started
from .desk import Wish
from .drawing import Drawing, check_possible
from .image_snapshots import ImageSnapshots
from .snapshot import Snapshot, UnusableSnapshot
from .state import State
from .upscale import Enlarging, Upscalers, lanczos


class HiresDrawing(Drawing):
    """Draws the first picture as any Drawing does; then the second pass goes on with it.

    Steps count through both passes. A snapshot of the second pass carries the first pass's picture, so that neither is
    drawn again.
    """

    def __init__(self, *args: Any, upscalers: Upscalers) -> None:
        super().__init__(*args)
        self._upscalers = upscalers
        self._first_steps = 0
        self._second: SecondPass | None = None
        self._passed = second_request(self._request)

    def call(self) -> Picture.Image:
        check_possible(self._passed, self._model.family.flow)
        kept = self._kept()
        if kept is None:
            state, first = None, super().call()
        else:
            state = super()._resumable()
            self._first_steps, first = kept.first_steps, Picture.fromarray(kept.first.numpy())  # type: ignore[union-attr]
            self._resumed_at = self._first_steps + kept.state.step
        return self._drawn_over(first, state)

    def began(self, step: int, steps: int) -> None:
        self._first_steps = steps
        super().began(step, steps + self._expected(steps))

    def _drawn_over(self, first: Picture.Image, state: State | None) -> Picture.Image:
        size = hires_size(self._request)
        larger = self._enlarged(self._within_mask(first), *size)
        around = (self._model, self._desk, self._tallies, self._writer, self._send, self._preview_every)
        command = replace(
            self._command,
            request=self._passed.to_dict(),
            index=0,
            resume="",
            image=larger.tobytes(),
            mask=self._mask.resize(size, Picture.Resampling.BILINEAR).tobytes() if self._command.mask else b"",
            conditions=_resized(self._command, self._request, size),
        )
        self._snapshots.carry(first, self._first_steps)
        self._second = SecondPass(command, *around, outer=self, resume=state)
        return self._second.call()

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
        return Enlarging(network, self._desk.leave_if_wished, lambda done, steps: None).to_size(first, width, height)

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
            self._notes += [note for note in self._second.notes if note not in self._notes]
        return super()._finished(picture)

    @property
    def snapshots(self) -> ImageSnapshots:
        return self._snapshots

    @property
    def first_steps(self) -> int:
        return self._first_steps

    @property
    def names(self) -> dict[str, Any]:
        return self._names


class SecondPass(Drawing):
    """Image-to-image on the enlarged first picture; its steps are counted on from those of the first pass."""

    def __init__(self, *args: Any, outer: HiresDrawing, resume: State | None) -> None:
        super().__init__(*args)
        self._outer = outer
        self._snapshots = outer.snapshots  # both passes are one image
        self._state = resume

    @property
    def notes(self) -> list[str]:
        return self._notes

    def left(self, wish: Wish) -> Event:
        event = self._left(wish)
        assert isinstance(event, Cancelled | Paused), "what a drawing that is left says"
        return replace(event, step=event.step + self._outer.first_steps)

    def began(self, step: int, steps: int) -> None:
        offset = self._outer.first_steps
        self._approached = True  # the job has begun already
        super().began(offset + step, offset + steps)
        if self._state is not None:
            self._send(Started(**self._names, steps=offset + steps, step=offset + step))

    def stepped(self, step: int, latents: torch.Tensor, guess: Callable[[], torch.Tensor]) -> None:
        super().stepped(step + self._outer.first_steps, latents, guess)

    def _resumable(self) -> State | None:
        return self._state

    @property
    def _names(self) -> dict[str, Any]:
        return self._outer.names


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
    """The pictures of controls and references at the second pass's size."""
    small = (request.width or 0, request.height or 0)
    length = small[0] * small[1] * 3
    pictures = [command.conditions[at : at + length] for at in range(0, len(command.conditions), length)]
    return b"".join(lanczos(Picture.frombytes("RGB", small, rows), *size).tobytes() for rows in pictures)
