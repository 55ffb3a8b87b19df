"""Where the network runs, in which precision, and how much memory there is."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..domain.devices import full_name
from ..domain.errors import BadInput
from .process import available_bytes, installed_bytes, resident_bytes


@dataclass(frozen=True, kw_only=True)
class Device:
    """`memory_total` in bytes: the card's, or the machine's for the processor."""

    torch: torch.device
    name: str
    memory_total: int

    @property
    def is_cuda(self) -> bool:
        return str(self.torch.type) == "cuda"

    def precision(self, on_cuda: torch.dtype) -> torch.dtype:
        """Half precision on a card; a processor computes halves slower than singles."""
        return on_cuda if self.is_cuda else torch.float32

    def memory(self) -> tuple[int, int]:
        """Bytes this process uses, and bytes it could still take."""
        if self.is_cuda:
            return torch.cuda.memory_reserved(self.torch), torch.cuda.mem_get_info(self.torch)[0]
        return resident_bytes(), available_bytes()


def choose(wanted: str) -> Device:
    """ "auto" is the first card, or the processor where there is none."""
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return Device(torch=torch.device("cpu"), name=_processor(), memory_total=installed_bytes())
    offered = _offered()
    chosen = "cuda:0" if wanted == "auto" else full_name(wanted)
    if chosen not in offered:
        raise BadInput("device", wanted, f"this machine offers {', '.join(offered)}")
    card = torch.cuda.get_device_properties(chosen)
    return Device(torch=torch.device(chosen), name=card.name, memory_total=card.total_memory)


def cards() -> list[str]:
    """The names of this machine's GPUs, in the order of their numbers."""
    return [torch.cuda.get_device_properties(number).name for number in range(torch.cuda.device_count())]


def _offered() -> list[str]:
    return ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]


def _processor() -> str:
    return f"CPU, {torch.get_num_threads()} threads"
