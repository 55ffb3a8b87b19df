"""Models from disk to device: one warm, a second kept in memory where there is room."""

from __future__ import annotations

import functools
import gc
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import torch

from ..domain.errors import ModelProblem, Problem
from ..domain.families import INPAINT, OTHER
from ..domain.request import GenerationRequest
from ..formats.folder import check_folder
from .adapters import Adapters, Extras
from .conditioning import TextCache
from .device import Device
from .failures import first_line, is_out_of_memory
from .memory_plan import AUTO, WHOLE, Plan
from .model_hash import Digests, KnownHashes, ModelHash
from .others import described
from .pipelines import PipelineFamily, pipelines_of
from .placing import placed
from .preview import Colours, colours_if_measurable, colours_of
from .process import available_bytes, return_freed_memory
from .samplers import Schedulers
from .single_file import GGUF, open_file
from .tallies import Tallies

WEIGHT_SUFFIXES = (".safetensors", ".bin", ".ckpt", ".pt", ".pth", GGUF)
_KEPT_FREE = 2 * 2**30
_MASKED_CHANNELS = 9

#: A weight file: its path, size in bytes and time of last change.
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Which model, and where and how it shall run. `kit` is the folder with what a single file does not hold, and
    `variants` say what neither tells (as on a model's card), `memory` one of `memory_plan.CHOICES`."""

    path: str
    family: str
    device: Device
    kit: str = ""
    variants: tuple[str, ...] = ()
    memory: str = AUTO

    @property
    def name(self) -> str:
        return Path(self.path).name


@dataclass(kw_only=True)
class LoadedModel:
    """A model's pipelines, all on the same weights, and what was added to them."""

    source: Source
    family: PipelineFamily
    stamp: Stamp
    plan: Plan
    text: Any
    cache: TextCache
    hash: ModelHash
    adapters: Adapters
    images: int = 0
    parked: bool = False
    schedulers: Schedulers
    colours: Colours | None = field(repr=False)
    _pipelines: dict[str, Any] = field(default_factory=dict)

    @property
    def device(self) -> Device:
        return self.source.device

    @property
    def denoiser(self) -> Any:
        return getattr(self.text, self.family.denoiser)

    def pipeline(self, task: str) -> Any:
        """The pipeline for that task, on the parts of the one that was loaded."""
        only_masked = getattr(self.denoiser.config, "in_channels", 0) == _MASKED_CHANNELS
        if task != INPAINT and (only_masked or [*self.family.classes] == [INPAINT]):
            raise ModelProblem("This model only paints inside a mask.", "Paint a mask, or choose another model.")
        if task not in self._pipelines:
            kind = getattr(diffusers, self.family.classes[task])
            takes = inspect.signature(kind.__init__).parameters
            known = {**self.text.config, **self.text.components, **self.family.extra}
            self._pipelines[task] = _quiet(kind(**{name: part for name, part in known.items() if name in takes}))
        return self._pipelines[task]

    def add(self, request: GenerationRequest, extras: Extras) -> list[str]:
        """Puts on exactly what the request names beside the model; what an artist should know of it."""
        self.adapters.apply(request, extras)
        self.cache.weights = self.adapters.text_state()
        return self.adapters.notes()


class ModelShelf:
    """The loaded models, the one in use last."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies
        self._models: list[LoadedModel] = []
        self._known_hashes: KnownHashes = {}

    @property
    def current(self) -> str:
        """The path of the model in use, empty when there is none."""
        return self._models[-1].source.path if self._models else ""

    def get(self, source: Source, pixels: int, on_load: Callable[[], None]) -> LoadedModel:
        """The model, from memory when it is there and its files have not changed since.

        A new one is placed so that pictures of that many pixels can be drawn.
        """
        stamp = stamp_of(source)
        known = [model for model in self._models if (model.source, model.stamp) == (source, stamp)]
        if known:
            return self._activate(known[0])
        self._keep([model for model in self._models if model.source.path != source.path])
        on_load()
        self._make_room(sum(size for _, size, _ in stamp))
        weights = tuple(file for file in stamp if Path(file[0]).suffix in WEIGHT_SUFFIXES)
        self._models.append(_load(source, stamp, pixels, self._tallies, ModelHash(weights, self._known_hashes)))
        return self._models[-1]

    def clear(self) -> None:
        self._models.clear()
        _take_memory_back()

    def _activate(self, model: LoadedModel) -> LoadedModel:
        self._keep([*_set_aside([other for other in self._models if other is not model]), model])
        if model.parked:
            model.text.to(model.device.torch)
            model.adapters.to(model.device.torch)
            model.parked = False
        return model

    def _make_room(self, needed: int) -> None:
        """Keeps the model used last beside the new one only while memory is plentiful."""
        free = available_bytes()
        self._keep(_set_aside(self._models[-1:] if free > 2 * needed + _KEPT_FREE else []))

    def _keep(self, models: list[LoadedModel]) -> None:
        """Only these; the memory of the others is there again when it returns."""
        dropped = len(models) < len(self._models)
        self._models = models
        if dropped:
            _take_memory_back()


def _take_memory_back() -> None:
    """Of models that were let go: their parts hold each other in circles, and allocators keep what they had."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return_freed_memory()


def stamp_of(source: Source) -> Stamp:
    """Tells whether a model's files are still those that were loaded."""
    roots = [Path(root) for root in (source.path, source.kit) if root]
    try:
        files = sorted(file for root in roots for file in _files_of(root))
        details = [(str(file), file.stat()) for file in files]
    except OSError as error:
        raise ModelProblem(f"The model {source.name} cannot be read: {first_line(error)}") from error
    return tuple((name, detail.st_size, detail.st_mtime_ns) for name, detail in details)


def _files_of(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    return [file for file in root.rglob("*") if file.suffix in (*WEIGHT_SUFFIXES, ".json")]


def _load(source: Source, stamp: Stamp, pixels: int, tallies: Tallies, model_hash: ModelHash) -> LoadedModel:
    kinds = described(Path(source.path)) if source.family == OTHER else pipelines_of(source.family)
    pipeline, plan = _opened(source, kinds, pixels, [name for name, _, _ in stamp])
    cache = TextCache(tallies)
    for name in kinds.text_encoders:
        encoder = getattr(pipeline, name, None)
        if encoder is not None:
            _spare_logits(encoder)
            cache.watch(name, encoder)
    return LoadedModel(
        source=source,
        family=kinds,
        stamp=stamp,
        plan=plan,
        text=pipeline,
        cache=cache,
        hash=model_hash,
        adapters=Adapters(pipeline, kinds, Digests()),
        schedulers=Schedulers(pipeline.scheduler, kinds.flow),
        colours=_colours(pipeline.vae, source, kinds),
    )


def _colours(vae: Any, source: Source, kinds: PipelineFamily) -> Colours | None:
    if source.family == OTHER:
        return colours_if_measurable(vae, source.device.torch)
    return colours_of(vae, kinds.colours, source.device.torch)


def _opened(source: Source, kinds: PipelineFamily, pixels: int, files: list[str]) -> tuple[Any, Plan]:
    """The pipeline where its plan has it; raises ModelProblem for everything but too little memory."""
    path, precision = Path(source.path), source.device.precision(kinds.half)
    try:
        if path.is_file():
            pipeline = open_file(path, Path(source.kit), kinds, precision, source.variants)
        else:
            pipeline = _from_folder(path, kinds, precision, files)
        return placed(_quiet(pipeline), kinds, source.device, source.memory, pixels)
    except Problem:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelProblem(f"The model {source.name} cannot be loaded: {first_line(error)}") from error


def _from_folder(folder: Path, kinds: PipelineFamily, precision: torch.dtype, files: list[str]) -> Any:
    check_folder(folder)
    return getattr(diffusers, kinds.base).from_pretrained(
        str(folder),
        local_files_only=True,
        use_safetensors=True,
        variant=_variant(files),
        trust_remote_code=False,
        dtype=precision,
        **dict.fromkeys(kinds.absent),
        **kinds.extra,
    )


def _variant(files: list[str]) -> str | None:
    """ "fp16" when the folder holds half-precision files and no others."""
    weights = [Path(name).name for name in files if Path(name).suffix in WEIGHT_SUFFIXES]
    return "fp16" if weights and all(".fp16." in name for name in weights) else None


def _set_aside(models: list[LoadedModel]) -> list[LoadedModel]:
    """Those that can wait in the machine's memory; a model that shares a card by turns is let go."""
    kept = [model for model in models if model.plan.way == WHOLE]
    for model in kept:
        _park(model)
    return kept


def _spare_logits(encoder: Any) -> None:
    """A language model read for its inner layers guesses no next words: a vocabulary's width for every token."""
    if "logits_to_keep" in inspect.signature(encoder.forward).parameters:
        encoder.forward = functools.partial(encoder.forward, logits_to_keep=1)


def _park(model: LoadedModel) -> None:
    """Off the card; in the machine's memory it waits to come back."""
    if model.device.is_cuda and not model.parked:
        model.parked = True
        model.cache.clear()
        model.text.to("cpu")
        model.adapters.to("cpu")
        torch.cuda.empty_cache()


def _quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
