"""Pictures drawn ahead of training and kept on disk, since drawing them again costs time."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from starter_world.pictures import draw_picture


@dataclass(frozen=True)
class DrawnSet:
    """Pixels (count x size x size x 3, uint8) and one caption each."""

    pixels: NDArray[np.uint8]
    captions: list[str]


def drawn_set(folder: Path, count: int, seed: int, size: int = 128) -> DrawnSet:
    """Open the set of this seed, drawing it first if it is not there."""
    pixels_file, captions_file = folder / f"drawn_{seed}.npy", folder / f"drawn_{seed}.json"
    if not captions_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _draw(pixels_file, captions_file, count, seed, size)
    pixels = np.load(pixels_file, mmap_mode="r")
    return DrawnSet(pixels, json.loads(captions_file.read_text()))


def _draw(pixels_file: Path, captions_file: Path, count: int, seed: int, size: int) -> None:
    chance = np.random.default_rng(seed)
    pixels = np.lib.format.open_memmap(pixels_file, "w+", np.uint8, (count, size, size, 3))
    captions = []
    for index in range(count):
        picture = draw_picture(chance, size)
        pixels[index] = picture.pixels
        captions.append(picture.caption)
    pixels.flush()
    # Written last: its presence says that the set is complete.
    captions_file.write_text(json.dumps(captions))
