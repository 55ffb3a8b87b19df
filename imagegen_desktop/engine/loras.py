"""LoRAs on a model's weights: several at once, each with its weight, kept between jobs, taken off exactly."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import set_weights_and_activate_adapters
from safetensors.torch import load_file

from ..domain.errors import BadInput, ModelProblem
from ..domain.request import LoraWeight
from .failures import first_line, is_out_of_memory

#: A file as it was when it was read: path, size in bytes, time of last change.
FileStamp = tuple[str, int, int]

#: Below this share of fitting layers a LoRA is one for another model.
_LEAST_USED = 0.5
_NOISY = ("transformers", "diffusers", "peft")


@dataclass(frozen=True)
class Wanted:
    """A LoRA that shall act, and where it lies."""

    lora: LoraWeight
    file: FileStamp

    @property
    def text_weight(self) -> float:
        return self.lora.weight if self.lora.text_weight is None else self.lora.text_weight

    @property
    def acts(self) -> bool:
        return bool(self.lora.weight or self.text_weight)


class Loras:
    """Of one model. A LoRA of weight 0 is not put on at all, so that the base stays the base to the byte."""

    def __init__(self, pipeline: Any, denoiser: str) -> None:
        self._pipeline = pipeline
        self._denoiser = denoiser
        self._names: dict[FileStamp, str] = {}
        self._applied: tuple[Wanted, ...] = ()
        self._count = 0
        self._partly: dict[FileStamp, str] = {}

    def apply(self, wanted: tuple[Wanted, ...]) -> None:
        """Exactly these act from now on; raises BadInput for one that does not fit, and then none acts."""
        wanted = tuple(each for each in wanted if each.acts)
        if wanted == self._applied:
            return
        try:
            self._drop({each.file for each in wanted})
            for each in wanted:
                if each.file not in self._names:
                    self._names[each.file] = self._load(each)
            if wanted:
                self._weigh(wanted)
        except Exception as error:
            self._drop(set())
            if isinstance(error, BadInput | ModelProblem) or is_out_of_memory(error):
                raise
            raise BadInput("LoRA", wanted[-1].lora.name, f"it cannot be used: {first_line(error)}") from error
        self._applied = wanted

    def notes(self) -> list[str]:
        """What an artist should know of those that act."""
        return [self._partly[each.file] for each in self._applied if each.file in self._partly]

    def text_state(self) -> tuple[object, ...]:
        """What of the LoRAs changes the text encoders."""
        inside = {name for part, names in self._adapters().items() if part != self._denoiser for name in names}
        return tuple((each.file, each.text_weight) for each in self._applied if self._names[each.file] in inside)

    def _load(self, each: Wanted) -> str:
        self._count += 1
        name = f"lora{self._count}"
        tensors = _read(each)
        kinds = type(self._pipeline)
        try:
            with _silenced(), _left_in_place(self._pipeline):
                options = {"unet_config": self._pipeline.unet.config} if self._denoiser == "unet" else {}
                converted = kinds.lora_state_dict(dict(tensors), **options)
                weights = converted[0] if isinstance(converted, tuple) else converted
                self._put_on(tensors, weights, name)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise _misfit(each.lora.name) from error
        brought, used = self._shares(weights, name)
        # A LoRA for another kind of model may share the text encoders with this one.
        judged = brought[0] or brought[1], used[0] if brought[0] else used[1]
        if not judged[1] or judged[1] < _LEAST_USED * judged[0]:
            raise _misfit(each.lora.name)
        if used != brought:
            said = f"{sum(used)} of its {sum(brought)} layers fit this model"
            self._partly[each.file] = f"LoRA {each.lora.name}: {said}"
        return name

    def _shares(self, weights: dict[str, Any], name: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """How many weights a LoRA brings, and how many of them found their place: in the denoiser, in the encoders."""
        keys = [key.startswith("text_encoder") for key in weights if not key.endswith(".alpha")]
        found = [
            part.startswith("text_encoder")
            for part in self._pipeline._lora_loadable_modules
            if getattr(self._pipeline, part, None) is not None
            for key, _ in getattr(self._pipeline, part).named_parameters()
            if f".{name}." in f"{key}."
        ]
        return (keys.count(False), keys.count(True)), (found.count(False), found.count(True))

    def _put_on(self, tensors: dict[str, Any], weights: dict[str, Any], name: str) -> None:
        try:
            self._pipeline.load_lora_weights(dict(tensors), adapter_name=name)
        except ValueError as error:
            # Text encoder layers without any `out_proj` have a form diffusers cannot tell.
            if "infer state dict type" not in str(error):
                raise
            self._pipeline.delete_adapters([name])
            for key in [key for key in weights if key.startswith("text_encoder")]:
                del weights[key]
            self._pipeline.load_lora_weights(dict(weights), adapter_name=name)

    def _weigh(self, wanted: tuple[Wanted, ...]) -> None:
        # Not through the pipeline's own `set_adapters`: it fails on networks whose blocks differ in depth.
        names = [self._names[each.file] for each in wanted]
        for part in self._adapters():
            weights = [each.lora.weight if part == self._denoiser else each.text_weight for each in wanted]
            set_weights_and_activate_adapters(getattr(self._pipeline, part), names, weights)

    def _drop(self, keep: set[FileStamp]) -> None:
        """Takes off all but these. With the last one gone the modules are the very ones they were."""
        gone = [name for file, name in self._names.items() if file not in keep]
        self._names = {file: name for file, name in self._names.items() if file in keep}
        self._applied = ()
        if not self._names:
            if self._count:
                self._pipeline.unload_lora_weights()
        elif gone:
            self._pipeline.delete_adapters(gone)

    def _adapters(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self._pipeline.get_list_adapters() if self._names else {}
        return found


def _read(each: Wanted) -> dict[str, Any]:
    try:
        tensors: dict[str, Any] = load_file(each.file[0])
    except Exception as error:  # a broken file fails in any layer
        name = Path(each.file[0]).name
        raise ModelProblem(f"The LoRA {name} cannot be read: {first_line(error)}", "Copy it again.") from error
    return tensors


def _misfit(name: str) -> BadInput:
    return BadInput("LoRA", name, "it was made for another kind of model than the chosen one")


@contextmanager
def _left_in_place(pipeline: Any) -> Iterator[None]:
    """Parts stay placed as they are: diffusers would take the hooks that move them away, put its own in their stead,
    and undo what was wrapped around them."""
    parts = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    hooks = [(part, vars(part).pop("_hf_hook")) for part in parts if "_hf_hook" in vars(part)]
    try:
        yield
    finally:
        for part, hook in hooks:
            part._hf_hook = hook


@contextmanager
def _silenced() -> Iterator[None]:
    """Loading into a text encoder is told as an alarming list of missing weights, which are those of the base."""
    loggers = [logging.getLogger(name) for name in _NOISY]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
