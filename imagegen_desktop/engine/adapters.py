"""What an artist adds to a model: LoRAs, embeddings, an autoencoder, ControlNets … — put on, kept, taken off."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import diffusers
import torch

from ..domain.errors import BadInput, ModelProblem
from ..domain.model_card import IMAGE_ENCODER, IP_ADAPTER, PREPARED_BY
from ..domain.request import REFERENCE_SIDE, Control, GenerationRequest, ImagePrompt
from ..formats.check import check_weights
from ..protocol.messages import Generate
from .autoencoders import load_autoencoder
from .controls import CLASSES, Acting, Controls, fits, picture_for
from .embeddings import Embeddings, Word
from .estimators import Estimates
from .failures import first_line, is_out_of_memory
from .image_prompts import ImagePrompts
from .image_prompts import Wanted as WantedPrompt
from .loras import FileStamp, Loras, Wanted
from .model_hash import Digests
from .pipelines import PipelineFamily
from .stepping import StepBoundary

#: As `Generate.extras` has them: kind, name, path and format of each thing a request names beside its model.
Extras = Iterable[Mapping[str, Any]]

_WORDS = {
    "lora": "LoRA",
    "embedding": "embedding",
    "vae": "VAE",
    "controlnet": "ControlNet",
    IP_ADAPTER: "IP-Adapter",
    IMAGE_ENCODER: "image encoder of the IP-Adapter",
}


class Adapters:
    """Of one loaded model; what the last request asked for stays until another one asks for something else."""

    def __init__(self, pipeline: Any, family: PipelineFamily, digests: Digests) -> None:
        self._pipeline = pipeline
        self._denoiser = family.denoiser
        # Only encoders whose tokens are words: T5 and language models read with tables of their own.
        clip = family.denoiser == "unet"
        self._loras = Loras(pipeline, family.denoiser)
        self._embeddings = Embeddings(pipeline, family.text_encoders) if clip else None
        self._image_prompts = ImagePrompts(pipeline, lambda: self._device) if clip else None
        self._vae_of_model = pipeline.vae
        self._vae: tuple[FileStamp, Any] | None = None
        self._nets: dict[FileStamp, Any] = {}
        self._estimates = Estimates()
        self._digests = digests

    @property
    def vae(self) -> Any:
        """The autoencoder in use."""
        return self._vae_of_model if self._vae is None else self._vae[1]

    @property
    def nets(self) -> list[Any]:
        """The ControlNets in use."""
        return list(self._nets.values())

    def apply(self, request: GenerationRequest, extras: Extras) -> None:
        """Exactly what the request names acts from now on; raises BadInput or ModelProblem in one line for what does
        not fit, and then the model is as it was without any."""
        places = _Places(extras)
        words = tuple(Word(name, places.of("embedding", name)) for name in request.embeddings)
        loras = tuple(Wanted(lora, places.of("lora", lora.name)) for lora in request.loras)
        nets = {places.of("controlnet", each.model): each.model for each in _acting(request)}
        for kind, name in _named(request):
            self._digests.begin(places.of(kind, name))
        if words and self._embeddings is None:
            raise BadInput("embedding", words[0].name, "this kind of model knows none")
        prompts = _acting_prompts(request)
        if prompts and self._image_prompts is None:
            raise BadInput("IP-Adapter", prompts[0].model, "this kind of model takes none")
        try:
            self._choose_vae(request.vae, places)
            self._nets = {file: net for file, net in self._nets.items() if file in nets}  # first: it makes room
            self._nets |= {file: self._net(name, file) for file, name in nets.items() if file not in self._nets}
            if self._embeddings is not None:
                self._embeddings.apply(words)
            if self._image_prompts is not None:
                self._image_prompts.apply(tuple(places.prompt(each) for each in prompts))
            self._loras.apply(loras)
        except Exception:
            self.clear()
            raise

    def clear(self) -> None:
        """The model as it was loaded."""
        self._loras.apply(())
        if self._embeddings is not None:
            self._embeddings.clear()
        if self._image_prompts is not None:
            self._image_prompts.clear()
        self._vae, self._nets = None, {}

    def notes(self) -> list[str]:
        """What an artist should know of what acts."""
        return self._loras.notes()

    def text_state(self) -> tuple[object, ...]:
        """What changes the text encoders: texts encoded under another state are not the same."""
        return (*self._loras.text_state(), *(self._embeddings.state() if self._embeddings else ()))

    def spelled(self, request: GenerationRequest) -> GenerationRequest:
        """The request with the words of its embeddings as the tokenizers know them."""
        if self._embeddings is None or not request.embeddings:
            return request
        spell = self._embeddings.spelled
        return replace(
            request,
            prompt=spell(request.prompt),
            negative_prompt=spell(request.negative_prompt),
            style_prompt=spell(request.style_prompt),
            style_negative=spell(request.style_negative),
        )

    @contextmanager
    def held(self, command: Generate, generator: torch.Generator, boundary: StepBoundary) -> Iterator[None]:
        """Within it the denoiser is held to the pictures of the command's ControlNets and IP-Adapters; to be entered
        before the boundary's own seams."""
        with self._controls(command, generator).held(getattr(self._pipeline, self._denoiser), boundary):
            if self._image_prompts is None:
                yield
                return
            with self._image_prompts.held(_references(command), boundary):
                yield

    def _controls(self, command: Generate, generator: torch.Generator) -> Controls:
        """The ControlNets of one call with their pictures."""
        request, conditions = command.wish, command.conditions
        places, size = _Places(command.extras), (request.height or 0, request.width or 0, 3)
        length, acting = size[0] * size[1] * 3, []
        for number, control in enumerate(request.controls):
            if not control.weight:
                continue
            net = self._nets[places.of("controlnet", control.model)]
            rows = bytearray(conditions[number * length : (number + 1) * length])
            pixels = torch.frombuffer(rows, dtype=torch.uint8).view(size)
            if control.preparation in PREPARED_BY:
                files = {kind: places.of(kind, kind) for kind in PREPARED_BY[control.preparation]}
                pixels = self._estimates.picture(control.preparation, files, pixels, self._device)
            twice = (request.guidance or 0) > 1
            with torch.no_grad():
                picture = picture_for(net, pixels, self._pipeline, twice, generator)
            acting.append(Acting(control, net, picture))
        return Controls(acting)

    def identity(self, request: GenerationRequest, extras: Extras) -> dict[str, str]:
        """The content of everything the request names, by kind and name."""
        places = _Places(extras)
        return {f"{kind}:{name}": self._digests.of(places.of(kind, name)).whole for kind, name in _named(request)}

    def hashes(self, request: GenerationRequest, extras: Extras) -> dict[str, str]:
        """The same, as other programs tell one file from another."""
        places = _Places(extras)
        return {f"{kind}:{name}": self._digests.of(places.of(kind, name)).short(kind) for kind, name in _named(request)}

    def to(self, device: torch.device | str) -> None:
        """Moves what is not part of the pipeline, or not now."""
        for net in (*self._nets.values(), self._vae_of_model, self.vae):
            net.to(device)

    @property
    def _device(self) -> torch.device:
        """Where the model runs; its parts may lie elsewhere until they do."""
        device: torch.device = self._pipeline._execution_device
        return device

    def _choose_vae(self, name: str | None, places: _Places) -> None:
        if name is None:
            self._vae = None
            return
        file = places.of("vae", name)
        if self._vae is None or self._vae[0] != file:
            self._vae = None
            self._vae = file, load_autoencoder(name, Path(file[0]), self._vae_of_model, self._device)

    def _net(self, name: str, file: FileStamp) -> Any:
        denoiser = getattr(self._pipeline, self._denoiser)
        try:
            net = _load_net(Path(file[0]), denoiser)
        except Exception as error:
            if is_out_of_memory(error) or isinstance(error, ModelProblem):
                raise
            raise BadInput("ControlNet", name, f"it does not fit this model: {first_line(error)}") from error
        if not fits(net, denoiser):
            raise BadInput("ControlNet", name, "it was made for another kind of model than the chosen one")
        return net.to(self._device).eval()


def _acting(request: GenerationRequest) -> list[Control]:
    return [control for control in request.controls if control.weight]


def _acting_prompts(request: GenerationRequest) -> list[ImagePrompt]:
    return [prompt for prompt in request.image_prompts if prompt.weight]


def _references(command: Generate) -> list[bytes]:
    """The pictures of the image prompts that act."""
    length = REFERENCE_SIDE * REFERENCE_SIDE * 3
    prompts = enumerate(command.wish.image_prompts)
    return [command.references[at * length : (at + 1) * length] for at, prompt in prompts if prompt.weight]


def _named(request: GenerationRequest) -> list[tuple[str, str]]:
    """Kind and name of everything that acts."""
    named = [("lora", lora.name) for lora in request.loras if lora.weight or lora.text_weight]
    named += [("embedding", name) for name in request.embeddings]
    named += [("vae", request.vae)] if request.vae else []
    kinds = dict.fromkeys(kind for each in _acting(request) for kind in PREPARED_BY.get(each.preparation, ()))
    named += [(kind, kind) for kind in kinds]
    named += [("controlnet", control.model) for control in _acting(request)]
    return named + [(kind, prompt.model) for prompt in _acting_prompts(request) for kind in (IP_ADAPTER, IMAGE_ENCODER)]


class _Places:
    """Where what a request names lies."""

    def __init__(self, extras: Extras) -> None:
        self._paths = {(each["kind"], each["name"]): Path(each["path"]) for each in extras}

    def prompt(self, prompt: ImagePrompt) -> WantedPrompt:
        return WantedPrompt(prompt, self.of(IP_ADAPTER, prompt.model), self.of(IMAGE_ENCODER, prompt.model))

    def of(self, kind: str, name: str) -> FileStamp:
        path = self._paths.get((kind, name))
        word = _WORDS.get(kind, "network")
        if path is None or not path.exists():
            raise ModelProblem(f"The {word} {name} is not there any more.", "Put its file back, or take it off.")
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        details = [file.stat() for file in files]
        stamp = str(path), sum(each.st_size for each in details), max((each.st_mtime_ns for each in details), default=0)
        _check_once(stamp)
        return stamp


@lru_cache(maxsize=256)
def _check_once(stamp: FileStamp) -> None:
    """Raises ModelProblem before any loader sees the file; one that did not change since is not read again."""
    check_weights(Path(stamp[0]))


def _load_net(path: Path, denoiser: Any) -> Any:
    """A folder's ControlNet; a single file's by the measures of the denoiser it stands beside."""
    folder = path if path.is_dir() else path.parent
    if (folder / "config.json").is_file():
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("_class_name")
        if kind not in CLASSES:
            raise ModelProblem(f"{path.name} is a {kind}; ControlNets are {', '.join(CLASSES)}.")
        options = {"local_files_only": True, "use_safetensors": True, "dtype": denoiser.dtype}
        return getattr(diffusers, kind).from_pretrained(str(folder), **options)
    if type(denoiser).__name__ != "UNet2DConditionModel":
        raise ModelProblem(f"{path.name} needs its config.json beside it.", "Download the whole folder.")
    with tempfile.TemporaryDirectory() as config:
        diffusers.ControlNetModel.from_unet(denoiser, load_weights_from_unet=False).save_config(config)
        return diffusers.ControlNetModel.from_single_file(
            str(path), config=config, local_files_only=True, dtype=denoiser.dtype
        )
