"""IP-Adapters: pictures that say what words would, read by cross-attentions of their own beside those for words.

As ControlNets do, they act where every pipeline asks its denoiser, so that all tasks have them. The attention
processors of the UNet are replaced for as long as an adapter is on, and put back as the very objects they were.
Ye et al., https://arxiv.org/abs/2308.06721
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.embeddings import ImageProjection, MultiIPAdapterImageProjection
from PIL import Image as Picture
from safetensors.torch import load_file

from ..domain.errors import BadInput, ModelProblem
from ..domain.request import REFERENCE_SIDE, ImagePrompt
from .failures import first_line, is_out_of_memory
from .image_encoder import ImageEncoder
from .loras import FileStamp
from .stepping import StepBoundary, replaced

_MOST_KEPT = 16

#: What one picture says, beside the words and beside the negative words.
Said = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Wanted:
    """An image prompt that shall act, and where its adapter and its image encoder lie."""

    prompt: ImagePrompt
    adapter: FileStamp
    encoder: FileStamp


class ImagePrompts:
    """Of one model's UNet."""

    def __init__(self, pipeline: Any, device: Callable[[], torch.device]) -> None:
        self._unet = pipeline.unet
        self._device = device
        self._files: tuple[FileStamp, ...] = ()
        self._applied: tuple[Wanted, ...] = ()
        self._before: tuple[Any, Any, Any] | None = None
        self._processors: list[Any] = []
        self._encoders: dict[FileStamp, ImageEncoder] = {}
        self._said: OrderedDict[tuple[object, ...], Said] = OrderedDict()

    def apply(self, wanted: tuple[Wanted, ...]) -> None:
        """Exactly these act from now on; raises BadInput for one that does not fit, and then none does."""
        files = tuple(each.adapter for each in wanted)
        if files != self._files:
            self.clear()
            if wanted:
                self._put_on(wanted)
                self._files = files
        self._encoders = {each.encoder: self._encoder(each) for each in wanted}
        self._applied = wanted

    def clear(self) -> None:
        """The UNet as it was loaded."""
        if self._before is not None:
            attentions, projection, kind = self._before
            self._unet.encoder_hid_proj = projection  # first: some projections have attentions of their own
            self._unet.set_attn_processor(attentions)
            self._unet.config.encoder_hid_dim_type = kind
        self._before, self._processors, self._files, self._applied = None, [], (), ()
        self._encoders.clear()
        self._said.clear()

    @contextmanager
    def held(self, pictures: list[bytes], boundary: StepBoundary) -> Iterator[None]:
        """Within it the UNet is shown `pictures`, one for each prompt: RGB rows of REFERENCE_SIDE squared."""
        if not self._applied:
            yield
            return
        said = [self._heard(number, rows) for number, rows in enumerate(pictures)]

        def forward(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            self._weigh(boundary.step, boundary.steps)
            asked = len(args[0] if args else kwargs["sample"])
            rows = [torch.cat([beside, words]) if asked > 1 else words for words, beside in said]
            kwargs["added_cond_kwargs"] = {**(kwargs.get("added_cond_kwargs") or {}), "image_embeds": rows}
            return original(*args, **kwargs)

        with replaced(self._unet, "forward", forward):
            yield

    def _weigh(self, step: int, steps: int) -> None:
        prompts = [each.prompt for each in self._applied]
        weights = [prompt.weight if prompt.acts(step, steps) else 0.0 for prompt in prompts]
        for processor in self._processors:
            processor.scale[:] = weights

    def _heard(self, number: int, rows: bytes) -> Said:
        """What the encoder tells of the picture, and of none: (1, 1, …) each."""
        wanted, projection = self._applied[number], self._unet.encoder_hid_proj.image_projection_layers[number]
        places = not isinstance(projection, ImageProjection)
        key = (wanted.encoder, places, hashlib.sha256(rows).digest())
        if key not in self._said:
            picture = Picture.frombytes("RGB", (REFERENCE_SIDE, REFERENCE_SIDE), rows)
            self._said[key] = self._encoders[wanted.encoder].said(picture, places, self._device())
        self._said.move_to_end(key)
        while len(self._said) > _MOST_KEPT:
            self._said.popitem(last=False)
        return self._said[key]

    def _put_on(self, wanted: tuple[Wanted, ...]) -> None:
        unet, name = self._unet, wanted[0].prompt.model
        try:
            states = []
            for each in wanted:
                name = each.prompt.model
                states.append(_state(each))
            reading = sum(name.endswith("attn2.processor") for name in unet.attn_processors)
            if any(len(state["ip_adapter"]) != 2 * reading for state in states):
                raise _misfit(name)
            attentions = unet._convert_ip_adapter_attn_to_diffusers(states, low_cpu_mem_usage=False)
            layers = [
                unet._convert_ip_adapter_image_proj_to_diffusers(state["image_proj"], low_cpu_mem_usage=False)
                for state in states
            ]
        except Exception as error:
            if isinstance(error, BadInput | ModelProblem) or is_out_of_memory(error):
                raise
            raise _misfit(name) from error
        place = {"device": self._device(), "dtype": unet.dtype}
        self._before = dict(unet.attn_processors), unet.encoder_hid_proj, unet.config.encoder_hid_dim_type
        self._processors = [part.to(**place) for part in attentions.values() if isinstance(part, torch.nn.Module)]
        unet.set_attn_processor(attentions)
        unet.encoder_hid_proj = MultiIPAdapterImageProjection(layers).eval().to(**place)
        unet.config.encoder_hid_dim_type = "ip_image_proj"

    def _encoder(self, wanted: Wanted) -> ImageEncoder:
        known = self._encoders.get(wanted.encoder)
        encoder = known or ImageEncoder(Path(wanted.encoder[0]), self._unet.dtype)
        number = self._files.index(wanted.adapter)
        projection = self._unet.encoder_hid_proj.image_projection_layers[number]
        if encoder.width(places=not isinstance(projection, ImageProjection)) != _width_read(projection):
            raise BadInput("IP-Adapter", wanted.prompt.model, "it was trained with another image encoder")
        return encoder


def _width_read(projection: Any) -> int:
    """Of the vectors an adapter's projection reads."""
    first = next(part for part in projection.modules() if isinstance(part, torch.nn.Linear))
    width: int = first.in_features
    return width


def _state(wanted: Wanted) -> dict[str, dict[str, torch.Tensor]]:
    """The two halves of an adapter's file, by their own names."""
    try:
        tensors = load_file(wanted.adapter[0])
    except Exception as error:  # a broken file fails in any layer
        name = Path(wanted.adapter[0]).name
        raise ModelProblem(f"The IP-Adapter {name} cannot be read: {first_line(error)}", "Copy it again.") from error
    return {
        part: {name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")}
        for part in ("image_proj", "ip_adapter")
    }


def _misfit(name: str) -> BadInput:
    return BadInput("IP-Adapter", name, "it was made for another kind of model than the chosen one")
