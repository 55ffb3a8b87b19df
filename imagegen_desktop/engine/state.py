"""A job between two steps as a value: latents, scheduler and every source of chance, taken and put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy
import torch

#: A tree of JSON values that names the tensors it leaves out.
Tree = dict[str, Any]


class Unsavable(Exception):
    """A scheduler holds something that is neither number nor text."""


@dataclass(frozen=True, kw_only=True)
class State:
    """After `step` of `steps` iterations. `tree` describes `values`' shape, `tensors` hold its numbers."""

    step: int
    steps: int
    output_shape: tuple[int, ...]
    tree: Tree
    tensors: Mapping[str, torch.Tensor]

    @staticmethod
    def taken(
        step: int,
        steps: int,
        output_shape: tuple[int, ...],
        latents: torch.Tensor,
        generator: torch.Generator,
        scheduler: Any,
    ) -> State:
        """Copied to the machine's memory, so that it may be written while the next step runs."""
        values = {
            "latents": latents,
            "generator": generator.get_state(),
            "chance": torch.get_rng_state(),
            "card_chance": torch.cuda.get_rng_state(latents.device) if latents.is_cuda else None,
            "scheduler": _plain_attributes(scheduler),
        }
        tensors: dict[str, torch.Tensor] = {}
        tree = _packed(values, "state", tensors)
        return State(step=step, steps=steps, output_shape=output_shape, tree=tree, tensors=tensors)

    def put_back(self, generator: torch.Generator, scheduler: Any, device: torch.device) -> torch.Tensor:
        """Restores everything and returns the latents. The scheduler must be of the same class and settings."""
        values = _unpacked(self.tree, self.tensors, device)
        generator.set_state(values["generator"])
        torch.set_rng_state(values["chance"])
        if values["card_chance"] is not None and device.type == "cuda":
            torch.cuda.set_rng_state(values["card_chance"], device)
        vars(scheduler).update(values["scheduler"])
        latents: torch.Tensor = values["latents"]
        return latents


def _plain_attributes(scheduler: Any) -> dict[str, Any]:
    """All but its configuration and what can be called: wrappers, lambdas, the Brownian tree (built anew by seed)."""
    return {
        name: value
        for name, value in vars(scheduler).items()
        if name != "_internal_dict" and (isinstance(value, torch.Tensor) or not callable(value))
    }


def _packed(value: Any, path: str, tensors: dict[str, torch.Tensor]) -> Tree:
    if isinstance(value, torch.Tensor):
        tensors[path] = _plain_copy(value)
        # Strides are state: a convolution rounds differently over another memory order.
        strides = value.stride() if 0 not in value.stride() else tensors[path].stride()
        return {"tensor": path, "strides": list(strides), "card": value.is_cuda}
    if isinstance(value, numpy.ndarray):
        tensors[path] = _plain_copy(torch.from_numpy(numpy.ascontiguousarray(value)))
        return {"array": path}
    if isinstance(value, numpy.generic):
        return {"number": value.item(), "of": value.dtype.name}
    if isinstance(value, list | tuple):
        items = [_packed(item, f"{path}.{place}", tensors) for place, item in enumerate(value)]
        return {"tuple" if isinstance(value, tuple) else "list": items}
    if isinstance(value, Mapping):
        return {"map": [[key, _packed(item, f"{path}.{key}", tensors)] for key, item in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise Unsavable(f"{path} is a {type(value).__name__}, which a snapshot cannot hold")


def _plain_copy(tensor: torch.Tensor) -> torch.Tensor:
    """In the machine's memory, its numbers side by side."""
    return torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach())


def _unpacked(tree: Tree, tensors: Mapping[str, torch.Tensor], device: torch.device) -> Any:
    match tree:
        case {"tensor": path, "strides": strides, "card": card}:
            kept = tensors[path]
            where = device if card else torch.device("cpu")
            return torch.empty_strided(kept.shape, strides, dtype=kept.dtype, device=where).copy_(kept)
        case {"array": path}:
            return tensors[path].numpy().copy()
        case {"number": number, "of": name}:
            return numpy.dtype(name).type(number)
        case {"list": items}:
            return [_unpacked(item, tensors, device) for item in items]
        case {"tuple": items}:
            return tuple(_unpacked(item, tensors, device) for item in items)
        case {"map": pairs}:
            return {key: _unpacked(item, tensors, device) for key, item in pairs}
        case {"value": value}:
            return value
    raise ValueError("not a state")
