"""A CLIP image encoder, as a folder or as one file, which tells an IP-Adapter what is in a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from PIL import Image as Picture
from safetensors.torch import load_file
from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModelWithProjection

from ..domain.errors import ModelProblem
from .failures import first_line, is_out_of_memory

#: Of every published CLIP encoder for pictures whose weights do not tell.
_HEADS = 16
#: Width of the ones OpenAI trained, with another activation than the open ones.
_OPENAI = 1024


class ImageEncoder:
    """In the machine's memory but for the moment it looks at a picture."""

    def __init__(self, path: Path, precision: torch.dtype) -> None:
        """Raises ModelProblem for what is no such encoder."""
        try:
            self._net: Any = _opened(path, precision).eval()
        except Exception as error:
            if is_out_of_memory(error):
                raise
            said = f"The image encoder {path.name} cannot be loaded: {first_line(error)}"
            raise ModelProblem(said, "Copy it again.") from error
        side = self._net.config.image_size
        self._processor = CLIPImageProcessorPil(size=side, crop_size=side)

    def width(self, places: bool) -> int:
        """Of the vectors it tells: one of each place in the picture, or one of the whole."""
        config = self._net.config
        width: int = config.hidden_size if places else config.projection_dim
        return width

    def said(self, picture: Picture.Image, places: bool, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """What is in the picture, and what stands for none: (1, 1, width), or (1, 1, places, width)."""
        pixels = self._processor(picture, return_tensors="pt").pixel_values.to(device, self._net.dtype)
        try:
            self._net.to(device)
            with torch.no_grad():
                told, nothing = self._told(pixels, places)
        finally:
            self._net.to("cpu")
        return told[None], nothing[None]

    def _told(self, pixels: torch.Tensor, places: bool) -> tuple[torch.Tensor, torch.Tensor]:
        if not places:
            embedding = self._net(pixels).image_embeds
            return embedding, torch.zeros_like(embedding)
        both = (self._net(each, output_hidden_states=True) for each in (pixels, torch.zeros_like(pixels)))
        told, nothing = (each.hidden_states[-2] for each in both)
        return told, nothing


def _opened(path: Path, precision: torch.dtype) -> Any:
    options = {"local_files_only": True, "use_safetensors": True, "dtype": precision}
    if path.is_dir():
        return CLIPVisionModelWithProjection.from_pretrained(str(path), **options)
    tensors = load_file(path)
    tensors = {name: value for name, value in tensors.items() if not name.endswith("position_ids")}
    net = CLIPVisionModelWithProjection(_measured(tensors))
    net.load_state_dict(tensors)
    return net.to(precision)


def _measured(tensors: dict[str, torch.Tensor]) -> CLIPVisionConfig:
    """The config that a file of weights alone lacks."""
    patches = tensors["vision_model.embeddings.patch_embedding.weight"].shape
    layers = {name.split(".")[3] for name in tensors if name.startswith("vision_model.encoder.layers.")}
    across = math.isqrt(len(tensors["vision_model.embeddings.position_embedding.weight"]) - 1)
    return CLIPVisionConfig(
        hidden_size=patches[0],
        patch_size=patches[2],
        image_size=across * patches[2],
        num_hidden_layers=len(layers),
        num_attention_heads=_HEADS,
        intermediate_size=len(tensors["vision_model.encoder.layers.0.mlp.fc1.weight"]),
        projection_dim=len(tensors["visual_projection.weight"]),
        hidden_act="quick_gelu" if patches[0] == _OPENAI else "gelu",
    )
