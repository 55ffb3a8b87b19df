"""From a request to an image: text-to-image, image-to-image and inpainting, equal to the bare pipeline to the byte."""

from __future__ import annotations

import os
from collections.abc import Callable

import diffusers
import torch
import transformers
from diffusers import StableDiffusionPipeline  # noqa: F401  imported with the engine, so that no job waits for it

from ..domain.enlarging import hires_size
from ..protocol.messages import VERSION, Generate, Idle, Load, Loading, Ready, Start, Tell, Upscale
from .desk import Desk
from .device import cards, choose
from .drawing import Drawing
from .hires import HiresDrawing
from .load import ModelShelf, Source
from .snapshot import SnapshotWriter
from .tallies import Tallies
from .upscale import Upscalers, upscale

_USUAL_PIXELS = 1024 * 1024


class Engine:
    """The loaded models and what they did so far; draws one image at a time."""

    def __init__(self, start: Start, send: Tell) -> None:
        if start.threads:
            torch.set_num_threads(start.threads)
        for library in (diffusers, transformers):
            library.utils.logging.disable_progress_bar()
        self._start = start
        self._send = send
        self._device = choose(start.device)
        if self._device.is_cuda:  # what names no card must not land on the first one, which may be another engine's
            torch.cuda.set_device(self._device.torch)
        self._tallies = Tallies()
        self._shelf = ModelShelf(self._tallies)
        self._upscalers = Upscalers()
        self.writer = SnapshotWriter()

    def ready(self, seconds: float) -> Ready:
        return Ready(
            version=VERSION,
            pid=os.getpid(),
            device=str(self._device.torch),
            device_name=self._device.name,
            memory_total=self._device.memory_total,
            torch=torch.__version__,
            diffusers=diffusers.__version__,
            seconds=seconds,
            cards=cards(),
        )

    def idle(self) -> Idle:
        return Idle(
            denoiser_calls=self._tallies.denoiser_calls,
            text_encodings=self._tallies.text_encodings,
            decodings=self._tallies.decodings,
            model=self._shelf.current,
        )

    def memory(self) -> tuple[int, int]:
        """Bytes used by this process and bytes still free, where the network runs."""
        return self._device.memory()

    def load(self, command: Load) -> None:
        source = self._source(command.path, command, None)
        self._shelf.get(source, _USUAL_PIXELS, self._say_loading(""))

    def unload(self) -> None:
        self._upscalers.clear()
        self._shelf.clear()

    def close(self) -> None:
        self.writer.drop()

    def generate(self, command: Generate, desk: Desk) -> None:
        """Draws one image and answers with it, or with why it was left."""
        wish = command.wish
        source = self._source(command.model_path, command, wish.device)
        width, height = hires_size(wish) if wish.hires_factor else (wish.width or 0, wish.height or 0)
        pixels = width * height
        model = self._shelf.get(source, pixels, self._say_loading(command.job))
        around = (command, model, desk, self._tallies, self.writer, self._send, self._start.preview_every)
        if wish.hires_factor:
            HiresDrawing(*around, upscalers=self._upscalers).draw()
        else:
            Drawing(*around).draw()

    def upscale(self, command: Upscale, desk: Desk) -> None:
        """Answers with the larger picture, or with why it was left."""
        device = choose(command.device) if command.device and command.device != "auto" else self._device
        upscale(command, self._upscalers, device, desk, self._send)

    def _source(self, path: str, of: Load | Generate, device: str | None) -> Source:
        chosen = choose(device) if device and device != "auto" else self._device
        return Source(
            path=path,
            family=of.family,
            kit=of.kit,
            variants=tuple(of.variants),
            device=chosen,
            memory=self._start.memory,
        )

    def _say_loading(self, job: str) -> Callable[[], None]:
        return lambda: self._send(Loading(job=job, phase="loading model"))
