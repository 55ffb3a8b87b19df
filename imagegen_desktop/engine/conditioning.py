"""The text-embedding cache: a text already encoded is not encoded again.

It sits at the text encoders' `forward`, below every pipeline's own `encode_prompt`, so what comes out is the
pipeline's own result to the bit, and a prompt and its negative prompt are remembered apart.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from .tallies import Tallies

_MOST_BYTES = 128 * 2**20


class TextCache:
    """Outputs of one model's text encoders, the least recently used dropped first. Not thread-safe."""

    def __init__(self, tallies: Tallies, most_bytes: int = _MOST_BYTES) -> None:
        self.on_encode: Callable[[], None] = lambda: None
        #: What was added to the encoders' weights; the same text means something else under another.
        self.weights: tuple[object, ...] = ()
        self._tallies = tallies
        self._most_bytes = most_bytes
        self._outputs: OrderedDict[tuple[Any, ...], tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def watch(self, name: str, encoder: Any) -> None:
        """From now on `encoder` answers from the cache where it can; lasts as long as the encoder."""
        original = encoder.forward

        @functools.wraps(original)
        def forward(*args: Any, **kwargs: Any) -> Any:
            key = (name, self.weights, _frozen(args), _frozen(sorted(kwargs.items())))
            if key in self._outputs:
                self._outputs.move_to_end(key)
                return self._outputs[key][0]
            self.on_encode()
            self._tallies.text_encodings += 1
            output = original(*args, **kwargs)
            self._keep(key, output)
            return output

        encoder.forward = forward

    def clear(self) -> None:
        """Needed when the encoders' weights change or move."""
        self._outputs.clear()
        self._bytes = 0

    def _keep(self, key: tuple[Any, ...], output: Any) -> None:
        size = sum(tensor.nbytes for tensor in _tensors(output))
        self._bytes += size - self._outputs.pop(key, (None, 0))[1]
        self._outputs[key] = (output, size)
        while self._bytes > self._most_bytes and len(self._outputs) > 1:
            _, (_, dropped) = self._outputs.popitem(last=False)
            self._bytes -= dropped


def _frozen(value: Any) -> Any:
    """A hashable likeness of an encoder's argument; token ids by their bytes."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), str(value.dtype), value.cpu().numpy().tobytes()
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value


def _tensors(output: Any) -> list[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        return [output]
    if isinstance(output, dict):
        output = list(output.values())
    return [tensor for item in output for tensor in _tensors(item)] if isinstance(output, list | tuple) else []
