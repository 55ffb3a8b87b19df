"""The step boundary: one pipeline call, watched and steered at the seams every pipeline has.

The denoiser's `forward`, the scheduler's `step` and the autoencoder's `encode` and `decode` are wrapped on the
instances for the time of the call. Leaving means raising, so nothing is decoded. Resuming at step k means making
the same call again: the first k forwards return zeros, the first k `step()`s hand their sample through, and the
k-th puts the saved state back. No denoiser evaluation is repeated and no pipeline is copied.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import torch

from .desk import Desk
from .preview import clean_guess
from .state import State
from .tallies import Tallies


class Watcher(Protocol):
    """Hears what happens inside the call, on the thread that makes it."""

    def began(self, step: int, steps: int) -> None: ...

    def stepped(self, step: int, latents: torch.Tensor, guess: Callable[[], torch.Tensor]) -> None: ...

    def encoding_image(self) -> None: ...

    def decode(self, decode: Callable[..., Any], latents: torch.Tensor, **options: Any) -> Any: ...


class StepBoundary:
    """Of one pipeline call. `step` counts finished scheduler iterations, those of a resumed state included."""

    def __init__(
        self,
        pipeline: Any,
        denoiser: Any,
        generator: torch.Generator,
        desk: Desk,
        tallies: Tallies,
        watcher: Watcher,
        resume: State | None = None,
    ) -> None:
        self.step = 0
        self.steps = 0
        self._pipeline = pipeline
        self._denoiser = denoiser
        self._generator = generator
        self._desk = desk
        self._tallies = tallies
        self._watcher = watcher
        self._resume = resume
        self._latents = torch.empty(0)
        self._output_shape: tuple[int, ...] = resume.output_shape if resume else ()
        self._marked: torch.cuda.Event | None = None

    @contextmanager
    def seams(self) -> Iterator[None]:
        """Within it, calling the pipeline runs past this boundary."""
        vae = self._pipeline.vae
        with ExitStack() as stack:
            stack.enter_context(_as_precise_as_before(vae))
            stack.enter_context(replaced(self._denoiser, "forward", self._forward))
            stack.enter_context(replaced(self._pipeline.scheduler, "step", self._step))
            stack.enter_context(replaced(vae, "encode", self._encode))
            stack.enter_context(replaced(vae, "decode", self._decode))
            if next(self._denoiser.parameters()).device.type == "cpu":
                stack.enter_context(_watched((self._denoiser, vae), self._desk.leave_if_cancelled))
            yield

    def state(self) -> State:
        """Everything the rest of the call depends on, copied."""
        return State.taken(
            self.step, self.steps, self._output_shape, self._latents, self._generator, self._pipeline.scheduler
        )

    @property
    def _replaying(self) -> bool:
        return self._resume is not None and self.step < self._resume.step

    def _forward(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self.steps:
            # A few older pipelines do not tell.
            self.steps = getattr(self._pipeline, "num_timesteps", len(self._pipeline.scheduler.timesteps))
            self._watcher.began(self._resume.step if self._resume else 0, self.steps)
        self._desk.leave_if_cancelled()
        if self._replaying:
            return (_zeros(args[0] if args else kwargs["hidden_states"], self._output_shape),)
        self._tallies.denoiser_calls += 1
        output = original(*args, **kwargs)
        self._output_shape = _shape_of(output[0])
        return output

    def _step(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._resume is not None and self._replaying:
            self.step += 1
            sample = inspect.signature(original).bind(*args, **kwargs).arguments["sample"]
            if self.step == self._resume.step:
                sample = self._resume.put_back(self._generator, self._pipeline.scheduler, sample.device)
            self._latents = sample
            return (sample,)
        output = original(*args, **kwargs)
        self.step += 1
        self._latents = output[0]
        if self._marked is not None:
            self._marked.synchronize()
        guess = functools.partial(clean_guess, self._pipeline.scheduler, args, output)
        self._watcher.stepped(self.step, output[0], guess)
        self._marked = _mark_on(output[0].device)
        self._desk.leave_if_wished()
        return output

    def _encode(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._desk.leave_if_cancelled()
        self._watcher.encoding_image()
        return original(*args, **kwargs)

    def _decode(self, original: Callable[..., Any], latents: torch.Tensor, **options: Any) -> Any:
        self._desk.leave_if_wished()
        return self._watcher.decode(original, latents, **options)


def _shape_of(prediction: Any) -> tuple[int, ...]:
    """Some denoisers (Z-Image) take and give a list with one tensor for each picture."""
    if isinstance(prediction, list):
        return (len(prediction), *prediction[0].shape)
    return tuple(prediction.shape)


def _zeros(asked: Any, shape: tuple[int, ...]) -> Any:
    """A prediction of that shape, on the device and in the layout of what the denoiser was asked."""
    if isinstance(asked, list):
        return list(asked[0].new_zeros(shape).unbind())
    return asked.new_zeros(shape)


@contextmanager
def replaced(owner: Any, name: str, wrapper: Callable[..., Any]) -> Iterator[None]:
    """`owner.name` calls `wrapper(original, …)` for a while, under the original's signature.

    diffusers inspects signatures to decide whether to pass `eta` and `generator`.
    """
    original, own = getattr(owner, name), vars(owner).get(name)
    vars(owner)[name] = functools.wraps(original)(functools.partial(wrapper, original))
    try:
        yield
    finally:
        del vars(owner)[name]
        if own is not None:
            vars(owner)[name] = own


@contextmanager
def _as_precise_as_before(vae: Any) -> Iterator[None]:
    """SDXL's pipelines bring an autoencoder of halves to single precision for a moment; one that is left never brings
    it back."""
    precision = next(vae.parameters()).dtype
    try:
        yield
    finally:
        if next(vae.parameters()).dtype != precision:
            vae.to(precision)


@contextmanager
def _watched(networks: Iterable[Any], look: Callable[[], None]) -> Iterator[None]:
    """Calls `look` before every larger block of the networks: on a processor one step can take a minute.

    Smaller ones, in lists within lists within lists, take less time than looking would be worth.
    """
    named = [part for net in networks for part in net.named_modules()]
    lists = [part for name, part in named if isinstance(part, torch.nn.ModuleList) and _depth(name) < 2]
    handles = [block.register_forward_pre_hook(lambda *_: look()) for blocks in lists for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _depth(name: str) -> int:
    """In how many lists a module of that name lies: "down_blocks.0.resnets" in one."""
    return sum(part.isdigit() for part in name.split("."))


def _mark_on(device: torch.device) -> torch.cuda.Event | None:
    """Waited for one step later: a card runs one step behind us, so it never idles and our word is never far ahead."""
    if device.type != "cuda":
        return None
    mark = torch.cuda.Event()
    mark.record(torch.cuda.current_stream(device))
    return mark
