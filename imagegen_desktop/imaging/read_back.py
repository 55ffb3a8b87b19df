"""Reads the files of a library back, several at once: what each says of itself, and whether it is whole."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from ..domain.errors import BadInput, NotFound
from .decode import Decoder, read_picture_file
from .metadata import read_recipe
from .picture import Fingerprint
from .recipe import Recipe
from .seal import hashed

MOST_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """`path` as the caller names the file; `sha256` is of its bytes, empty where they cannot be read. No `recipe`: it
    is not ours. `pixels` where its seal is whole, or where they were wanted and could be decoded."""

    path: str
    size: int = 0
    sha256: str = ""
    recipe: Recipe | None = None
    pixels: Fingerprint | None = None


#: Whether the pixels of a file without a seal have to be decoded, which takes ten times as long as all the rest; called
#: on any thread.
WantsPixels = Callable[[ReadBack], bool]


def read_back(
    files: Iterable[tuple[str, Path]], wants_pixels: WantsPixels, decoder: Decoder
) -> Generator[ReadBack, None, None]:
    """Each file in its turn. As many are read at once as there are processors, each decoded by a worker of its own;
    the bytes of a few are held at a time."""
    at_once = min(MOST_AT_ONCE, os.cpu_count() or 1)
    spare: SimpleQueue[Decoder] = SimpleQueue()

    def read(path: str, file: Path) -> ReadBack:
        own = spare.get()
        try:
            return _read_one(path, file, wants_pixels, own)
        finally:
            spare.put(own)

    with ExitStack() as ending:
        spare.put(decoder)
        for _ in range(at_once - 1):
            spare.put(ending.enter_context(decoder.another()))
        pool = ending.enter_context(ThreadPoolExecutor(at_once, "read-back"))
        reading: deque[Future[ReadBack]] = deque()
        for path, file in files:
            reading.append(pool.submit(read, path, file))
            if len(reading) > 2 * at_once:
                yield reading.popleft().result()
        while reading:
            yield reading.popleft().result()


def _read_one(path: str, file: Path, wants_pixels: WantsPixels, decoder: Decoder) -> ReadBack:
    try:
        data = read_picture_file(file)
    except BadInput:
        return ReadBack(path=path)
    sha256, pixels = hashed(data)
    recipe = None
    with suppress(BadInput, NotFound):
        recipe = read_recipe(data)
    found = ReadBack(path=path, size=len(data), sha256=sha256, recipe=recipe, pixels=pixels)
    if pixels is not None or not wants_pixels(found):
        return found
    try:
        return replace(found, pixels=decoder.fingerprint(data, path))
    except BadInput:
        return found
