"""Several one-thread processes that train one network by averaging their gradients.

One process with many threads waits at every operation for its slowest thread, so on a busy
machine a team of single-thread processes is much faster.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import distributed, multiprocessing, nn


@dataclass(frozen=True)
class Team:
    """This process's rank among `size` processes."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes logs and checkpoints."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the team."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.contiguous().view(-1) for g in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view(gradient.shape))

    def agree(self, value: float) -> float:
        """The leader's value, in every process."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return float(shared.item())

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            distributed.barrier()


def run_as_team(work: Callable[..., None], size: int, port: int, *arguments: object) -> None:
    """Run `work(team, *arguments)` in `size` processes of one thread each."""
    multiprocessing.start_processes(_member, args=(work, size, port, arguments), nprocs=size, start_method="spawn")


def _member(rank: int, work: Callable[..., None], size: int, port: int, arguments: tuple[object, ...]) -> None:
    torch.set_num_threads(1)
    # Values too small for their format cost dearly on some processors and mean nothing here.
    torch.set_flush_denormal(True)
    if size > 1:
        address = f"tcp://127.0.0.1:{port}"
        distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=size)
    work(Team(rank, size), *arguments)
    if size > 1:
        distributed.destroy_process_group()
