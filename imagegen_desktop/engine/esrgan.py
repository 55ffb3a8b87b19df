"""Networks that enlarge pictures, straight from the tensors of their file: ESRGAN (arXiv:1809.00219), Real-ESRGAN and
its compact form (arXiv:2107.10833)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from ..domain.errors import ModelProblem
from .failures import first_line

Tensors = Mapping[str, torch.Tensor]
Look = Callable[[], None]

_SLOPE = 0.2
_RESIDUAL = 0.2

#: The three spellings of one network, each as the youngest's.
_SPELLINGS = (
    (r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
    (r"^RRDB_trunk\.(\d+)\.RDB(\d)\.conv(\d)\.", r"body.\1.rdb\2.conv\3."),
    (r"^model\.1\.sub\.\d+\.(weight|bias)$", r"conv_body.\1"),
    (r"^trunk_conv\.", "conv_body."),
    (r"^upconv(\d)\.", r"conv_up\1."),
    (r"^HRconv\.", "conv_hr."),
    (r"^model\.0\.", "conv_first."),
)


@dataclass(frozen=True, kw_only=True)
class Network:
    """`forward(picture, look)`: (1, 3, height, width) in 0…1 to the same `scale` times as large; `look` is called
    between its layers and may raise. Sides must be multiples of `multiple`."""

    scale: int
    multiple: int
    device: torch.device
    forward: Callable[[torch.Tensor, Look], torch.Tensor]


def load(path: Path, device: torch.device) -> Network:
    """Raises ModelProblem for a file that is no network of these kinds."""
    try:
        tensors = load_file(str(path), device=str(device))
    except Exception as error:
        raise ModelProblem(f"The upscaler {path.name} cannot be read: {first_line(error)}") from error
    for inner in ("params_ema.", "params.", "module."):
        tensors = {name.removeprefix(inner): tensor for name, tensor in tensors.items()}
    half = torch.float16 if device.type == "cuda" else torch.float32
    tensors = {name: tensor.to(half) for name, tensor in tensors.items()}
    try:
        network = _compact(tensors, device) if _is_compact(tensors) else _esrgan(_spelled(tensors), device)
    except (KeyError, IndexError, RuntimeError) as error:
        what = f"The upscaler {path.name} is no ESRGAN, Real-ESRGAN or compact network."
        raise ModelProblem(what, "Other kinds are not supported yet.") from error
    if network.scale < 2:
        raise ModelProblem(f"{path.name} makes no picture larger: its scale is {network.scale}.")
    return network


# ---- residual in residual dense blocks --------------------------------------------------------------------


def _spelled(tensors: Tensors) -> dict[str, torch.Tensor]:
    """In the youngest spelling; the oldest numbers its layers through, with the enlarging ones in threes."""
    found: dict[str, torch.Tensor] = {}
    numbers = [int(match[1]) for name in tensors if (match := re.match(r"model\.(\d+)\.", name))]
    last = max(numbers, default=0)
    for name, tensor in tensors.items():
        spelled = name
        for pattern, youngest in _SPELLINGS:
            spelled = re.sub(pattern, youngest, spelled)
        match = re.match(r"model\.(\d+)\.(weight|bias)$", spelled)
        if match:
            number, kind = int(match[1]), match[2]
            place = {last: "conv_last", last - 2: "conv_hr"}.get(number, f"conv_up{number // 3}")
            spelled = f"{place}.{kind}"
        found[spelled] = tensor
    return found


def _esrgan(tensors: Tensors, device: torch.device) -> Network:
    colours = tensors["conv_last.weight"].shape[0]
    shuffle = math.isqrt(tensors["conv_first.weight"].shape[1] // colours)
    doublings = len([name for name in tensors if re.match(r"conv_up\d\.weight$", name)])
    blocks = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("body."))
    for name in ("conv_first", "conv_body", "conv_hr", "conv_last", "body.0.rdb1.conv5"):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"]

    def conv(name: str, picture: torch.Tensor) -> torch.Tensor:
        return F.conv2d(picture, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)

    def dense(name: str, start: torch.Tensor, look: Look) -> torch.Tensor:
        known = start
        for layer in range(1, 5):
            look()
            known = torch.cat((known, F.leaky_relu(conv(f"{name}.conv{layer}", known), _SLOPE)), 1)
        return conv(f"{name}.conv5", known) * _RESIDUAL + start

    def forward(picture: torch.Tensor, look: Look) -> torch.Tensor:
        first = conv("conv_first", F.pixel_unshuffle(picture, shuffle))
        seen = first
        for block in range(blocks):
            start = seen
            for part in (1, 2, 3):
                seen = dense(f"body.{block}.rdb{part}", seen, look)
            seen = seen * _RESIDUAL + start
        seen = first + conv("conv_body", seen)
        for doubling in range(1, doublings + 1):
            look()
            seen = F.leaky_relu(conv(f"conv_up{doubling}", F.interpolate(seen, scale_factor=2.0)), _SLOPE)
        look()
        return conv("conv_last", F.leaky_relu(conv("conv_hr", seen), _SLOPE))

    return Network(scale=2**doublings // shuffle, multiple=shuffle, device=device, forward=forward)


# ---- the compact form -------------------------------------------------------------------------------------


def _is_compact(tensors: Tensors) -> bool:
    return "body.0.weight" in tensors and "body.1.weight" in tensors and tensors["body.1.weight"].ndim == 1


def _compact(tensors: Tensors, device: torch.device) -> Network:
    """Convolutions and PReLUs in turn; the last one's channels become pixels, added to the picture itself."""
    layers = sorted({int(name.split(".")[1]) for name in tensors if name.startswith("body.")})
    colours = tensors["body.0.weight"].shape[1]
    scale = math.isqrt(tensors[f"body.{layers[-1]}.weight"].shape[0] // colours)

    def forward(picture: torch.Tensor, look: Look) -> torch.Tensor:
        seen = picture
        for layer in layers:
            look()
            weight = tensors[f"body.{layer}.weight"]
            if weight.ndim == 1:
                seen = F.prelu(seen, weight)
            else:
                seen = F.conv2d(seen, weight, tensors[f"body.{layer}.bias"], padding=1)
        return F.pixel_shuffle(seen, scale) + F.interpolate(picture, scale_factor=float(scale))

    return Network(scale=scale, multiple=1, device=device, forward=forward)
