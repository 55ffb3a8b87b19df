"""Upscaling: networks of the real layouts with random weights, in tiles and whole; Lanczos; cancelled within a tile."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from imagegen_desktop.domain.errors import ModelProblem
from imagegen_desktop.engine.desk import Desk, Leave, Wish
from imagegen_desktop.engine.device import choose
from imagegen_desktop.engine.esrgan import Network, load
from imagegen_desktop.engine.upscale import Enlarging, Upscalers, lanczos, upscale
from imagegen_desktop.protocol import messages
from imagegen_desktop.protocol.messages import Cancel, Cancelled, Event, Failed, Idle, Started, Step, Upscale
from tests.engine.engine_child import EngineChild, only
from tests.tiny_models import esrgan_tensors

CPU = torch.device("cpu")


@pytest.fixture
def network(tmp_path: Path) -> Callable[..., Network]:
    def build(**kinds: object) -> Network:
        file = tmp_path / "tiny.safetensors"
        save_file(esrgan_tensors(**kinds), file)  # type: ignore[arg-type]
        return load(file, CPU)

    return build


def photo(width: int, height: int) -> Image.Image:
    """Something with edges, colours and grain."""
    chance = np.random.default_rng(3)
    y, x = np.mgrid[0:height, 0:width]
    rows = np.stack(((x * 3) % 256, (y * 5) % 256, ((x // 9 + y // 7) % 2) * 200), -1) + chance.integers(-20, 20, 1)
    return Image.fromarray(rows.clip(0, 255).astype(np.uint8))


def enlarged(network: Network, picture: Image.Image, factor: float, tile: int = 0) -> np.ndarray:
    size = round(picture.width * factor), round(picture.height * factor)
    larger = Enlarging(network, lambda: None, lambda done, steps: None).to_size(picture, *size, tile)
    assert larger.size == size
    return np.asarray(larger).astype(int)


@pytest.mark.parametrize("factor", [4, 2, 3, 1.5])
def test_tiles_make_what_the_whole_would(network: Callable[..., Network], factor: float) -> None:
    made, picture = network(), photo(150, 110)
    difference = np.abs(enlarged(made, picture, factor, tile=40) - enlarged(made, picture, factor, tile=999))
    assert difference.max() <= 1


@pytest.mark.parametrize("spelling", ["young", "middle", "old"])
def test_the_three_spellings_are_one_network(network: Callable[..., Network], spelling: str) -> None:
    picture = photo(40, 32)
    assert (enlarged(network(spelling=spelling), picture, 4) == enlarged(network(), picture, 4)).all()


def test_a_network_that_shuffles_pixels_doubles_any_size(network: Callable[..., Network]) -> None:
    made = network(shuffle=2)
    assert (made.scale, made.multiple) == (2, 2)
    assert enlarged(made, photo(51, 37), 2).shape == (74, 102, 3)


def test_a_compact_network(network: Callable[..., Network]) -> None:
    made, picture = network(compact=True), photo(100, 60)
    assert made.scale == 4
    assert np.abs(enlarged(made, picture, 4, tile=32) - enlarged(made, picture, 4, tile=999)).max() <= 1


def test_more_than_the_networks_scale_takes_several_passes(network: Callable[..., Network]) -> None:
    assert enlarged(network(doublings=1), photo(20, 16), 4).shape == (64, 80, 3)


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"some.weight": torch.zeros(3, 3)}, file)
    with pytest.raises(ModelProblem, match=r"other\.safetensors is no ESRGAN"):
        load(file, CPU)
    file.write_bytes(b"not safetensors at all")
    with pytest.raises(ModelProblem, match="cannot be read"):
        load(file, CPU)


def test_lanczos_is_lanczos() -> None:
    picture = photo(31, 17)
    assert lanczos(picture, 93, 51).tobytes() == picture.resize((93, 51), Image.Resampling.LANCZOS).tobytes()


def test_a_wish_is_heard_within_a_tile(network: Callable[..., Network]) -> None:
    desk, looks = Desk("job"), 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            desk.ask(Wish.CANCEL)
        desk.leave_if_wished()

    tiles: list[int] = []
    with pytest.raises(Leave):
        Enlarging(network(), look, lambda done, steps: tiles.append(done)).to_size(photo(100, 100), 400, 400)
    assert tiles == [0]


def test_a_tile_that_does_not_fit_is_halved(network: Callable[..., Network]) -> None:
    made, picture = network(), photo(128, 96)
    whole = enlarged(made, picture, 4)

    def small_only(part: torch.Tensor, look: Callable[[], None]) -> torch.Tensor:
        if part.shape[-1] > 100:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return made.forward(part, look)

    scant = Network(scale=4, multiple=1, device=CPU, forward=small_only)
    assert np.abs(enlarged(scant, picture, 4) - whole).max() <= 1


def test_the_engine_tells_of_every_tile(engine: EngineChild, tmp_path: Path) -> None:
    file = tmp_path / "tiny.safetensors"
    save_file(esrgan_tensors(), file)
    picture = photo(400, 200)
    events = engine.run(_command(picture, 800, 400, upscaler=str(file)))
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3, 4, 5, 6]
    assert only(events, Started).steps == 6
    image = only(events, messages.Image)
    assert (image.width, image.height, image.seed) == (800, 400, 7)
    assert np.abs(_pixels(image) - enlarged(load(file, CPU), picture, 2)).max() <= 1


def test_the_engine_without_a_network_is_lanczos(engine: EngineChild) -> None:
    picture = photo(33, 21)
    image = only(engine.run(_command(picture, 99, 63)), messages.Image)
    assert image.pixels == picture.resize((99, 63), Image.Resampling.LANCZOS).tobytes()


def test_the_engine_cancels_and_goes_on(engine: EngineChild, tmp_path: Path) -> None:
    file = tmp_path / "tiny.safetensors"
    save_file(esrgan_tensors(width=48, blocks=4), file)
    engine.send(_command(photo(1024, 1024), 4096, 4096, upscaler=str(file)))
    engine.until(Started)
    engine.send(Cancel(job="job"))
    seen: list[object] = []
    while not seen or not isinstance(seen[-1], Idle):
        engine.until(object, seen)  # type: ignore[arg-type]
    assert only(seen, Cancelled)
    assert not [event for event in seen if isinstance(event, messages.Image | Failed)]


def test_memory_stays_bounded_up_to_8k(network: Callable[..., Network]) -> None:
    """The two pictures and one tile: 8192 × 2048 pixels are 50 MB, and a tile of this network some more."""
    made, picture = network(compact=True, width=8, layers=2), photo(2048, 512)
    enlarged(made, photo(256, 256), 4)
    resource = pytest.importorskip("resource", reason="Windows tells no peak of memory this way")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    larger = Enlarging(made, lambda: None, lambda done, steps: None).to_size(picture, 8192, 2048)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{grown:.0f} MB more for {larger.width} × {larger.height}")
    assert grown < 4 * 50


def _command(picture: Image.Image, width: int, height: int, upscaler: str = "") -> Upscale:
    return Upscale(
        job="job", width=picture.width, height=picture.height, target_width=width, target_height=height,
        seed=7, upscaler=upscaler, image=picture.tobytes(),
    )  # fmt: skip


def _pixels(image: messages.Image) -> np.ndarray:
    return np.frombuffer(image.pixels, np.uint8).reshape(image.height, image.width, 3).astype(int)


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A network whose tiles take long enough to be left between two of them, and that doubles."""
    file = tmp_path / "slow.safetensors"
    save_file(esrgan_tensors(doublings=1, width=24, blocks=1), file)
    return file


def left_after(engine: EngineChild, wish: Upscale, tiles: int, how: type[Cancel | messages.Pause]) -> object:
    """What the engine answers when it is told to leave after so many tiles."""
    engine.send(wish)
    while engine.until(Step).step < tiles:
        pass
    engine.send(how(job=wish.job))
    answer = engine.until(Cancelled if how is Cancel else messages.Paused)
    engine.until(Idle)
    return answer


@pytest.mark.parametrize(("factor", "tiles"), [(2, 2), (4, 9)], ids=["in the first pass", "in the second"])
def test_paused_it_goes_on_with_the_tiles_that_are_left(
    engine: EngineChild, slow: Path, tmp_path: Path, factor: int, tiles: int
) -> None:
    picture, place = photo(400, 500), str(tmp_path / "half.safetensors")
    wish = replace(_command(picture, 400 * factor, 500 * factor, str(slow)), snapshot=place)
    whole = only(engine.run(wish), messages.Image).pixels
    paused = left_after(engine, wish, tiles, messages.Pause)
    assert isinstance(paused, messages.Paused) and paused.snapshot == place and paused.step >= tiles
    events = engine.run(replace(wish, resume=place))
    assert only(events, Started).step == paused.step
    steps = [event.step for event in events if isinstance(event, Step)]
    assert steps == list(range(paused.step + 1, paused.steps + 1))
    assert only(events, messages.Image).pixels == whole


def test_paused_again_before_another_tile_it_has_lost_none(slow: Path, tmp_path: Path) -> None:
    place = str(tmp_path / "half.safetensors")
    wish = replace(_command(photo(400, 500), 800, 1000, str(slow)), snapshot=place)

    def paused_at(kind: type[Event], wish: Upscale) -> messages.Paused:
        heard: list[Event] = []
        desk = Desk(wish.job)

        def hear(*events: Event) -> None:
            heard.extend(events)
            if any(isinstance(event, kind) for event in events):
                desk.ask(Wish.PAUSE)

        upscale(wish, Upscalers(), choose("cpu"), desk, hear)
        return only(heard, messages.Paused)

    first = paused_at(Step, wish)
    assert first.step > 0
    again = paused_at(Started, replace(wish, resume=place))
    assert (again.step, again.snapshot) == (first.step, place)


def test_what_a_crash_leaves_is_gone_on_with(engine: EngineChild, slow: Path, tmp_path: Path) -> None:
    """Cancelled in place of killed: nothing is written at the end then either."""
    place = tmp_path / "half.safetensors"
    wish = replace(_command(photo(400, 500), 800, 1000, str(slow)), snapshot=str(place), snapshot_seconds=1e-6)
    whole = only(engine.run(replace(wish, snapshot="")), messages.Image).pixels
    left_after(engine, wish, 3, Cancel)
    assert place.is_file()
    events = engine.run(replace(wish, resume=str(place)))
    assert only(events, Started).step >= 1
    assert only(events, messages.Image).pixels == whole


@pytest.mark.parametrize("harm", ["damaged", "another picture", "another network"])
def test_what_does_not_fit_costs_the_tiles_and_not_the_job(
    engine: EngineChild, slow: Path, tmp_path: Path, harm: str
) -> None:
    place = tmp_path / "half.safetensors"
    wish = replace(_command(photo(400, 500), 800, 1000, str(slow)), snapshot=str(place))
    left_after(engine, wish, 2, messages.Pause)
    if harm == "damaged":
        data = bytearray(place.read_bytes())
        data[len(data) // 2] ^= 1
        place.write_bytes(bytes(data))
    elif harm == "another picture":
        wish = replace(wish, image=bytes(len(wish.image)))
    else:
        os.utime(slow, ns=(1, 1))
    whole = only(engine.run(replace(wish, snapshot="")), messages.Image).pixels
    events = engine.run(replace(wish, resume=str(place)))
    assert only(events, Started).step == 0
    assert only(events, messages.Image).pixels == whole
