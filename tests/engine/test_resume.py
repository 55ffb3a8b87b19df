"""Pausing, shutting down and being killed; and snapshots that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from imagegen_desktop.engine import snapshot
from imagegen_desktop.protocol.messages import (
    Cancelled,
    Generate,
    Idle,
    Pause,
    Paused,
    Ready,
    Shutdown,
    Start,
    Started,
    Step,
)
from tests.engine import bare
from tests.engine.engine_child import EngineChild, command, request, task_request

Tiny = Callable[[str], Path]


def test_a_paused_job_goes_on_where_it_was(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    wish = request(steps=200, sampler="DPM++ 2M SDE")
    asked = command(wish, tiny("sd1"), snapshot=str(tmp_path / "image.safetensors"))
    paused = pause(engine, asked)
    assert paused.snapshot == asked.snapshot
    assert 0 < paused.step < paused.steps == 200
    again = engine.image(replace(asked, resume=paused.snapshot))
    assert again.resumed_at == paused.step
    assert again.pixels == bare.pixels(wish, tiny("sd1"))


def test_a_snapshot_that_was_read_may_be_written_again_at_once(tmp_path: Path) -> None:
    """A file that is part of somebody's memory is locked on Windows, for as long as the job that goes on from it."""
    place, tensors = tmp_path / "image.safetensors", {"latents": torch.ones(64)}
    snapshot.write_sealed(place, {"step": 1}, tensors)
    _, read = snapshot.read_sealed(place)
    mapped = Path("/proc/self/maps")  # where there is none, the file system itself objects
    assert not mapped.exists() or str(place) not in mapped.read_text()
    snapshot.write_sealed(place, {"step": 2}, {"latents": torch.zeros(64)})
    assert torch.equal(read["latents"], tensors["latents"])


def pause(engine: EngineChild, asked: Generate) -> Paused:
    engine.send(asked)
    engine.until(Step)
    engine.send(Pause(job=asked.job))
    paused = engine.until(Paused)
    engine.until(Idle)
    return paused


def test_a_job_may_be_paused_again_and_again(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    wish = task_request("inpaint", steps=200, sampler="Euler a")
    asked = command(wish, tiny("sd1"), snapshot=str(tmp_path / "image.safetensors"))
    first = pause(engine, asked)
    second = pause(engine, replace(asked, resume=first.snapshot))
    assert second.step > first.step
    assert engine.image(replace(asked, resume=second.snapshot)).pixels == bare.pixels(wish, tiny("sd1"))


def test_pausing_without_a_place_still_leaves(engine: EngineChild, tiny: Tiny) -> None:
    assert pause(engine, command(request(steps=200), tiny("sd1"))).snapshot == ""


def test_pausing_where_nothing_can_be_written_still_leaves(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    asked = command(request(steps=200), tiny("sd1"), snapshot=str(tmp_path / "file" / "image.safetensors"))
    assert pause(engine, asked).snapshot == ""


def test_a_waiting_job_that_is_paused_never_began(engine: EngineChild, tiny: Tiny) -> None:
    engine.send(command(request(steps=200), tiny("sd1"), job="running"))
    engine.until(Started)
    engine.send(command(request(), tiny("sd1"), job="waiting"))
    engine.send(Pause(job="waiting"))
    assert engine.until(Cancelled).job == "waiting"
    engine.until(Idle)


def test_nothing_is_left_when_the_image_is_done(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    place = tmp_path / "image.safetensors"
    engine.image(command(request(), tiny("sd1"), snapshot=str(place), snapshot_seconds=1e-9))
    place.unlink(missing_ok=True)
    engine.image(command(request(), tiny("sd1")))
    assert not list(tmp_path.iterdir()), "a snapshot was written after its image"


@pytest.mark.slow
def test_a_real_kill_loses_at_most_the_step_it_was_in(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    wish = task_request("image", steps=200, sampler="UniPC", strength=1.0)
    asked = command(wish, tiny("sd1"), snapshot=str(tmp_path / "image.safetensors"), snapshot_seconds=1e-9)
    victim = EngineChild(Start(device="cpu", threads=1))
    victim.until(Ready)
    victim.send(asked)
    while victim.until(Step).step < 20:
        pass
    victim.process.kill()
    victim.close()
    image = engine.image(replace(asked, resume=asked.snapshot, snapshot=""))
    assert image.resumed_at
    assert image.pixels == bare.pixels(wish, tiny("sd1"))


@pytest.mark.slow
def test_a_shutdown_leaves_a_snapshot(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    wish = request(steps=300, sampler="DDIM")
    asked = command(wish, tiny("sd1"), snapshot=str(tmp_path / "image.safetensors"))
    leaving = EngineChild(Start(device="cpu", threads=1))
    leaving.until(Ready)
    leaving.send(asked)
    leaving.until(Step)
    leaving.send(Shutdown())
    leaving.until(Paused)
    assert leaving.process.wait(timeout=30) == 0
    leaving.close()
    assert engine.image(replace(asked, resume=asked.snapshot)).pixels == bare.pixels(wish, tiny("sd1"))


# ---- snapshots that do not fit ----------------------------------------------------------------------------


@pytest.fixture
def paused(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> Generate:
    """A command that goes on from a good snapshot."""
    asked = command(request(steps=100), tiny("sd1"), snapshot=str(tmp_path / "image.safetensors"))
    return replace(asked, resume=pause(engine, asked).snapshot)


def begins_anew(engine: EngineChild, asked: Generate, tiny: Tiny, reason: str) -> None:
    image = engine.image(asked)
    assert image.resumed_at is None
    assert [note for note in image.notes if reason in note], image.notes
    assert image.pixels == bare.pixels(asked.wish, tiny("sd1"))


def test_a_gone_snapshot_begins_anew(engine: EngineChild, tiny: Tiny, paused: Generate) -> None:
    Path(paused.resume).unlink()
    begins_anew(engine, paused, tiny, "damaged or gone")


@pytest.mark.parametrize("where", [0.0, 0.05, 0.5, 0.99])
def test_a_damaged_snapshot_begins_anew(engine: EngineChild, tiny: Tiny, paused: Generate, where: float) -> None:
    file = Path(paused.resume)
    content = bytearray(file.read_bytes())
    content[int(len(content) * where)] ^= 0xFF
    file.write_bytes(content)
    begins_anew(engine, paused, tiny, "damaged")


def test_a_torn_snapshot_begins_anew(engine: EngineChild, tiny: Tiny, paused: Generate) -> None:
    file = Path(paused.resume)
    file.write_bytes(file.read_bytes()[:-100])
    begins_anew(engine, paused, tiny, "damaged")


def test_another_requests_snapshot_begins_anew(engine: EngineChild, tiny: Tiny, paused: Generate) -> None:
    other = replace(paused.wish, seed=99).to_dict()
    begins_anew(engine, replace(paused, request=other), tiny, "another request")


def test_a_snapshot_of_the_future_begins_anew(
    engine: EngineChild, tiny: Tiny, paused: Generate, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = snapshot.read(Path(paused.resume))
    monkeypatch.setattr(snapshot, "VERSION", 99)
    snapshot.write(kept, Path(paused.resume))
    begins_anew(engine, paused, tiny, "version 99")


def test_other_surroundings_are_named(engine: EngineChild, tiny: Tiny, paused: Generate) -> None:
    kept = snapshot.read(Path(paused.resume))
    elsewhere = kept.surroundings | {"torch": "1.0", "device": "a card"}
    snapshot.write(replace(kept, surroundings=elsewhere), Path(paused.resume))
    image = engine.image(paused)
    assert image.resumed_at
    assert image.notes == ["resumed, not guaranteed identical: torch, device changed since"]


def test_priority_does_not_matter_to_a_snapshot(engine: EngineChild, tiny: Tiny, paused: Generate) -> None:
    urgent = replace(paused.wish, priority=5, use_cache=False).to_dict()
    assert engine.image(replace(paused, request=urgent)).resumed_at
