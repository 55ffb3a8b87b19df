"""What a snapshot costs the thread that draws, at the size of an SDXL job. Prints two lists of step times as JSON:
steps with a snapshot each and steps without, taking turns."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from diffusers import UniPCMultistepScheduler

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.engine.snapshot import Snapshot, SnapshotWriter, surroundings
from imagegen_desktop.engine.state import State

_SHAPE = (1, 4, 128, 128)
_STEPS = 20


def main() -> None:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(1)
    with_snapshot, without = [], []
    with tempfile.TemporaryDirectory() as folder:
        writer, place = SnapshotWriter(), Path(folder) / "image.safetensors"
        for _ in range(int(sys.argv[1])):
            without += _steps(generator, None, place)
            with_snapshot += _steps(generator, writer, place)
            writer.flush()
        held = place.stat().st_size
    print(json.dumps({"with": with_snapshot, "without": without, "bytes": held}))


def _steps(generator: torch.Generator, writer: SnapshotWriter | None, place: Path) -> list[float]:
    """Seconds of each step of one job; the writer is at work on one snapshot while the next step runs."""
    scheduler = UniPCMultistepScheduler()  # of all the one that remembers most
    scheduler.set_timesteps(_STEPS)
    latents, weights = torch.randn(_SHAPE, generator=generator), torch.randn(768, 768)
    request = GenerationRequest(prompt="a fox in the snow", width=1024, height=1024, steps=_STEPS, seed=1)
    seconds = []
    for number, timestep in enumerate(scheduler.timesteps, 1):
        began = time.perf_counter()
        weights = (weights @ weights).tanh()  # stands for the denoiser
        latents = scheduler.step(torch.tanh(latents), timestep, latents, return_dict=False)[0]
        if writer is not None:
            state = State.taken(number, _STEPS, _SHAPE, latents, generator, scheduler)
            around = surroundings("cpu", torch.float32, "0" * 64)
            writer.put(Snapshot(state=state, request=request.to_dict(), surroundings=around), place)
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
