"""Upscaling: a picture made larger by a network tile by tile, in little memory, or by Lanczos without one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as Picture

from ..protocol.messages import Cancelled, Event, Image, Loading, Paused, Started, Step, Tell, Upscale
from .desk import Desk, Leave, Wish
from .device import Device
from .esrgan import Network, load
from .failures import is_out_of_memory
from .unfinished import Rows, Unfinished, UnfinishedFile

#: How far a tile's pixels look beside it, in pixels of the smaller picture.
OVERLAP = 32
_TILE, _TILE_ON_CARD, _SMALLEST_TILE = 192, 512, 32


@dataclass(frozen=True)
class Tile:
    """Left, top, right and bottom in pixels of the smaller picture."""

    left: int
    top: int
    right: int
    bottom: int

    def widened(self, by: int, width: int, height: int) -> Tile:
        return Tile(
            max(0, self.left - by), max(0, self.top - by), min(width, self.right + by), min(height, self.bottom + by)
        )

    def halves(self) -> list[Tile]:
        middle, centre = (self.left + self.right) // 2, (self.top + self.bottom) // 2
        return [
            Tile(left, top, right, bottom)
            for top, bottom in ((self.top, centre), (centre, self.bottom))
            for left, right in ((self.left, middle), (middle, self.right))
        ]


def tiles_of(width: int, height: int, side: int) -> list[Tile]:
    return [
        Tile(left, top, min(left + side, width), min(top + side, height))
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]


class Enlarging:
    """Makes one picture larger; `on_tile(done, all)` hears of each tile, `look` is called far more often and may raise.

    Beside the two pictures it holds one tile at a time; a tile that does not fit into memory is halved.
    """

    def __init__(self, network: Network, look: Callable[[], None], on_tile: Callable[[int, int], None]) -> None:
        self._network = network
        self._look = look
        self._on_tile = on_tile
        self._side = _TILE_ON_CARD if network.device.type == "cuda" else _TILE
        self._done = self._all = 0
        #: As far as the running pass has come.
        self.unfinished: Unfinished | None = None

    def to_size(
        self, picture: Picture.Image, width: int, height: int, tile: int = 0, begun: Unfinished | None = None
    ) -> Picture.Image:
        """Exactly `width` × `height`: by as many passes as it takes, the last one brought down to the size. `begun`
        is what an earlier call with the same picture, sizes and network left unfinished."""
        side = tile or self._side
        sizes = [picture.size]
        while sizes[-1][0] < width or sizes[-1][1] < height:
            sizes.append((sizes[-1][0] * self._network.scale, sizes[-1][1] * self._network.scale))
        passes = [tiles_of(*size, side) for size in sizes[:-1]]
        ready, self.unfinished = 0 if begun is None else begun.done, begun
        self._done, self._all = ready, sum(len(tiles) for tiles in passes)
        self._on_tile(ready, self._all)
        rows = np.asarray(picture.convert("RGB"))
        for number, (tiles, target) in enumerate(zip(passes, [*sizes[1:-1], (width, height)], strict=True)):
            if begun is not None and ready > len(tiles):
                ready -= len(tiles)
                continue
            enlarged = np.empty((target[1], target[0], 3), np.uint8)
            if begun is not None:
                rows, enlarged, begun = rows if begun.rows is None else begun.rows, begun.enlarged, None
            self._pass(rows, enlarged, tiles[ready:], keeps=number > 0)
            rows, ready = enlarged, 0
        return Picture.fromarray(rows)

    def _pass(self, rows: Rows, enlarged: Rows, tiles: list[Tile], keeps: bool) -> None:
        with torch.inference_mode():
            for tile in tiles:
                self._place(rows, enlarged, tile)
                self._done += 1
                self.unfinished = Unfinished(self._done, rows if keeps else None, enlarged)
                self._on_tile(self._done, self._all)

    def _place(self, rows: Rows, enlarged: Rows, tile: Tile) -> None:
        self._look()
        try:
            wide = tile.widened(OVERLAP, rows.shape[1], rows.shape[0])
            larger = self._through_network(rows[wide.top : wide.bottom, wide.left : wide.right])
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or min(tile.right - tile.left, tile.bottom - tile.top) <= _SMALLEST_TILE:
                raise
            larger = None
        if larger is None:  # outside the handler: its traceback keeps the failed attempt's tensors alive
            for part in tile.halves():
                self._place(rows, enlarged, part)
            return
        _fit_in(larger, enlarged, tile, wide, rows.shape, self._network.scale)

    def _through_network(self, part: Rows) -> Rows:
        """Padded to what the network takes, by its own mirror image."""
        network = self._network
        precision = torch.float16 if network.device.type == "cuda" else torch.float32
        picture = torch.from_numpy(part.copy()).to(network.device).permute(2, 0, 1)[None]
        picture = picture.to(precision) / 255
        down, across = -part.shape[0] % network.multiple, -part.shape[1] % network.multiple
        if down or across:
            picture = F.pad(picture, (0, across, 0, down), mode="reflect")
        larger = network.forward(picture, self._look)[0].float().clamp_(0, 1)
        larger = larger[:, : part.shape[0] * network.scale, : part.shape[1] * network.scale]
        found: Rows = larger.mul_(255).round_().to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()
        return found


def _fit_in(larger: Rows, enlarged: Rows, tile: Tile, wide: Tile, size: tuple[int, ...], scale: int) -> None:
    """Puts the tile's own part of `larger`, without what it looked at beside it, into the picture."""
    down, across = enlarged.shape[0] / size[0], enlarged.shape[1] / size[1]
    left, right = round(tile.left * across), round(tile.right * across)
    top, bottom = round(tile.top * down), round(tile.bottom * down)
    if (across, down) == (scale, scale):
        y, x = (tile.top - wide.top) * scale, (tile.left - wide.left) * scale
        enlarged[top:bottom, left:right] = larger[y : y + bottom - top, x : x + right - left]
        return
    box = (
        (left / across - wide.left) * scale,
        (top / down - wide.top) * scale,
        min((right / across - wide.left) * scale, larger.shape[1]),
        min((bottom / down - wide.top) * scale, larger.shape[0]),
    )
    part = Picture.fromarray(larger).resize((right - left, bottom - top), Picture.Resampling.LANCZOS, box=box)
    enlarged[top:bottom, left:right] = np.asarray(part)


def lanczos(picture: Picture.Image, width: int, height: int) -> Picture.Image:
    return picture.resize((width, height), Picture.Resampling.LANCZOS)


class Upscalers:
    """The network used last stays loaded while its file does not change."""

    def __init__(self) -> None:
        self._known: tuple[tuple[str, int, torch.device], Network] | None = None

    def get(self, path: str, device: Device, on_load: Callable[[], None]) -> Network:
        stamp = (path, Path(path).stat().st_mtime_ns if Path(path).exists() else 0, device.torch)
        if self._known is None or self._known[0] != stamp:
            self._known = None
            on_load()
            self._known = (stamp, load(Path(path), device.torch))
        return self._known[1]

    def clear(self) -> None:
        self._known = None


def upscale(command: Upscale, upscalers: Upscalers, device: Device, desk: Desk, send: Tell) -> None:
    """Answers an Upscale with its Image, or with Cancelled or Paused; the tiles that are done are kept then."""
    began = time.perf_counter()
    names: dict[str, Any] = {"job": command.job, "index": command.index}
    last, started = began, False
    file = UnfinishedFile(command, device.torch)
    enlarging: Enlarging | None = None

    def on_tile(done: int, steps: int) -> None:
        nonlocal last, started
        now = time.perf_counter()
        desk.step, desk.steps = done, steps
        send(
            Step(**names, step=done, steps=steps, seconds=now - last)
            if started
            else Started(**names, steps=steps, step=done)
        )
        last, started = now, True
        if enlarging is not None and file.is_due():
            file.write(enlarging.unfinished)

    try:
        desk.leave_if_wished()
        picture = Picture.frombytes("RGB", (command.width, command.height), command.image)
        size = command.target_width, command.target_height
        if command.upscaler:
            network = upscalers.get(
                command.upscaler, device, lambda: send(Loading(job=command.job, phase="loading model"))
            )
            enlarging = Enlarging(network, desk.leave_if_wished, on_tile)
            larger = enlarging.to_size(picture, *size, begun=file.read())
        else:
            on_tile(0, 1)
            larger = lanczos(picture, *size)
            desk.leave_if_wished()
            on_tile(1, 1)
        answer: Event = _image(command, larger, time.perf_counter() - began)
    except Leave as leave:
        if leave.wish is Wish.CANCEL:
            answer = Cancelled(**names, step=desk.step)
        else:
            kept = file.write(enlarging.unfinished) if enlarging is not None else ""
            answer = Paused(**names, step=desk.step if kept else 0, steps=desk.steps, snapshot=kept)
    send(answer)


def _image(command: Upscale, picture: Picture.Image, seconds: float) -> Image:
    return Image(
        job=command.job,
        index=command.index,
        seed=command.seed,
        width=picture.width,
        height=picture.height,
        seconds=seconds,
        pixels=picture.tobytes(),
    )
