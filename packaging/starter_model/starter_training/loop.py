"""The loop both trainings share: step, log, checkpoint, resume."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch

from starter_training.progress import Progress
from starter_training.team import Team


class Training(Protocol):
    """One network in training: it makes steps and can be saved and carried on."""

    def step(self, fraction: float, step: int) -> float:
        """Train on one batch; the result is its loss."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything needed to carry on as if never stopped."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Carry on from a state."""
        ...


def train(
    training: Training,
    progress: Progress,
    team: Team,
    checkpoint: Path,
    checkpoint_seconds: float = 300.0,
    on_checkpoint: Callable[[], None] | None = None,
) -> None:
    """Train to the end of the plan, resuming from the checkpoint where there is one."""
    own = checkpoint.with_suffix(f".{team.rank}.pt")
    if own.exists():
        saved = torch.load(own, weights_only=False)
        training.restore(saved["training"])
        progress.resume(saved["steps"], saved["seconds"])
    next_save, mean_loss = progress.seconds() + checkpoint_seconds, None
    fraction = team.agree(progress.fraction())
    while fraction < 1:
        loss = training.step(fraction, progress.done_steps)
        progress.done_steps += 1
        mean_loss = loss if mean_loss is None else mean_loss + 0.02 * (loss - mean_loss)
        if team.leads and progress.done_steps % 50 == 0:
            print(
                f"step {progress.done_steps}  {progress.seconds():.0f} s  {100 * fraction:.1f} %  loss {mean_loss:.4f}",
                flush=True,
            )
        fraction = team.agree(progress.fraction())
        if team.agree(float(progress.seconds() > next_save)) or fraction >= 1:
            next_save = progress.seconds() + checkpoint_seconds
            _save(own, training, progress)
            if team.leads and on_checkpoint is not None:
                on_checkpoint()


def _save(path: Path, training: Training, progress: Progress) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "training": training.state(),
        "steps": progress.done_steps,
        "seconds": progress.seconds(),
    }
    # Replacing at once means that a crash leaves the older checkpoint whole.
    torch.save(state, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)
