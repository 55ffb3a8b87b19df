"""How far everything in a picture is, estimated by a model folder as transformers writes it (MiDaS, Depth Anything)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import torch
from PIL import Image as Picture

from ..domain.errors import ModelProblem
from .failures import first_line, is_out_of_memory


class DepthEstimator:
    """Loaded from `folder` onto `device`; raises ModelProblem for a folder that is no such model."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation

        options = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._processor: Any = AutoImageProcessor.from_pretrained(str(folder), **options)
            loaded = AutoModelForDepthEstimation.from_pretrained(str(folder), use_safetensors=True, **options)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            reason = first_line(error)
            raise ModelProblem(f"{folder.name} cannot be loaded as a depth-estimation model: {reason}") from error
        self._network: Any = loaded.to(device).eval()

    def picture(self, pixels: torch.Tensor) -> torch.Tensor:
        """RGB bytes of (height, width, 3), white where something is near; of the same size as `pixels`."""
        height, width = pixels.shape[:2]
        asked = self._processor(images=Picture.fromarray(pixels.numpy()), return_tensors="pt")
        with torch.no_grad():
            depth = self._network(pixel_values=asked["pixel_values"].to(self._network.device)).predicted_depth
        whole = torch.nn.functional.interpolate(depth[:, None].float(), (height, width), mode="bicubic")[0, 0].cpu()
        low, high = whole.min(), whole.max()
        levels = ((whole - low) / (high - low).clamp(min=1e-6) * 255).round().to(torch.uint8)
        return torch.from_numpy(numpy.repeat(levels.numpy()[:, :, None], 3, axis=2))
