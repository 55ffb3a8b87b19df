"""What networks see in a ControlNet's picture — how far everything is, how people stand — drawn as a picture.

Each is a folder as transformers writes it: for depth MiDaS, DPT or Depth Anything (arXiv:2406.09414), for poses ViTPose
(arXiv:2204.12484) and, to find the people it looks at, RT-DETR (arXiv:2304.08069) or another detector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy
import torch
from PIL import Image as Picture

from ..domain.errors import BadInput, ModelProblem
from ..domain.model_card import DEPTH_ESTIMATOR, PERSON_DETECTOR, POSE_ESTIMATOR
from .failures import first_line, is_out_of_memory
from .loras import FileStamp
from .skeleton import Points, drawn

#: How sure of a person, and of each of its points, a network must be.
_SURE_OF_PERSON, _SURE_OF_POINT = 0.5, 0.3
_MOST_PEOPLE = 20
_KEPT = 8

Files = Mapping[str, FileStamp]


class Estimates:
    """Pictures made by networks, which are loaded for a picture that was not seen yet and let go at once."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], torch.Tensor] = {}

    def picture(self, preparation: str, files: Files, pixels: torch.Tensor, device: torch.device) -> torch.Tensor:
        """Of RGB bytes of (height, width, 3), as many of them; `files` tells where the network of each kind lies.
        Raises ModelProblem for a network that cannot be loaded, BadInput for a picture in which it sees nothing."""
        content = hashlib.sha256(pixels.numpy().tobytes()).hexdigest()
        key = preparation, *files.items(), tuple(pixels.shape), content
        if key not in self._made:
            while len(self._made) >= _KEPT:
                del self._made[next(iter(self._made))]
            picture = Picture.fromarray(pixels.numpy())
            # What a load draws by chance must not reach the job's own numbers: the next time nothing is loaded.
            with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
                self._made[key] = torch.from_numpy(_ESTIMATED[preparation](files, picture, device).copy())
        return self._made[key]


def _depth(files: Files, picture: Picture.Image, device: torch.device) -> Any:
    """White where something is near."""
    processor, network = _loaded(DEPTH_ESTIMATOR, files, device)
    asked = processor(images=picture, return_tensors="pt")["pixel_values"]
    depth = network(pixel_values=asked.to(device)).predicted_depth
    size = picture.height, picture.width
    whole = torch.nn.functional.interpolate(depth[:, None].float(), size, mode="bicubic")[0, 0].cpu()
    low, high = whole.min(), whole.max()
    levels = ((whole - low) / (high - low).clamp(min=1e-6) * 255).round().to(torch.uint8)
    return numpy.repeat(levels.numpy()[:, :, None], 3, axis=2)


def _pose(files: Files, picture: Picture.Image, device: torch.device) -> Any:
    """A skeleton for each person."""
    people = _points(files, picture, device, _people(files, picture, device))
    if not (people[:, :, 2] > 0).any():
        raise BadInput("preparation", "pose", "nobody was found in the picture; choose one with a person in it")
    return drawn(people, picture.width, picture.height)


def _people(files: Files, picture: Picture.Image, device: torch.device) -> list[list[float]]:
    """Left, top, width and height in pixels, the surest first. Drawn figures often are no person to a detector: where
    it finds none, the whole picture may be one."""
    processor, network = _loaded(PERSON_DETECTOR, files, device)
    asked = processor(images=picture, return_tensors="pt").to(device)
    sizes = [(picture.height, picture.width)]
    found = processor.post_process_object_detection(network(**asked), _SURE_OF_PERSON, target_sizes=sizes)[0]
    names = network.config.id2label
    boxes = []
    for label, (left, top, right, bottom) in zip(found["labels"].tolist(), found["boxes"].tolist(), strict=True):
        if names.get(label) == "person" and right - left >= 1 and bottom - top >= 1:
            boxes.append([left, top, right - left, bottom - top])
    return boxes[:_MOST_PEOPLE] or [[0.0, 0.0, float(picture.width), float(picture.height)]]


def _points(files: Files, picture: Picture.Image, device: torch.device, boxes: list[list[float]]) -> Points:
    """(people, 17, 3): x and y in pixels, and 1 where a point is seen, else 0."""
    processor, network = _loaded(POSE_ESTIMATOR, files, device)
    asked = processor(images=picture, boxes=[boxes], return_tensors="pt")["pixel_values"]
    found = processor.post_process_pose_estimation(network(pixel_values=asked.to(device)), boxes=[boxes])[0]
    people = numpy.zeros((len(found), 17, 3))
    for person, one in zip(people, found, strict=True):
        person[:, :2] = one["keypoints"].cpu().numpy()[:17]
        person[:, 2] = one["scores"].cpu().numpy()[:17] >= _SURE_OF_POINT
    return people


_ESTIMATED: Mapping[str, Callable[[Files, Picture.Image, torch.device], Any]] = {"depth": _depth, "pose": _pose}


def _loaded(kind: str, files: Files, device: torch.device) -> tuple[Any, Any]:
    """The network and what brings pictures into its form."""
    import transformers

    classes = {
        DEPTH_ESTIMATOR: transformers.AutoModelForDepthEstimation,
        PERSON_DETECTOR: transformers.AutoModelForObjectDetection,
        POSE_ESTIMATOR: transformers.VitPoseForPoseEstimation,
    }
    folder = Path(files[kind][0])
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(str(folder), **options)
        network: Any = classes[kind].from_pretrained(str(folder), use_safetensors=True, **options)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        what = f"{folder.name} cannot be loaded as a {kind.replace('-', ' ')}: {first_line(error)}"
        raise ModelProblem(what, "Download it again.") from error
    return processor, network.to(device).eval()
