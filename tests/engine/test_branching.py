"""Branches: from a step of one picture on with other words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imagegen_desktop.domain.request import LAST_STEP, BranchPoint, GenerationRequest
from imagegen_desktop.protocol.messages import Decoding, Idle, Image, Paused, Started, Step
from tests import tiny_additions
from tests.engine.engine_child import EngineChild, command, only, request, task_request
from tests.tiny_additions import extra

Tiny = Callable[[str], Path]


def branched(parent: GenerationRequest, step: int, **changes: object) -> GenerationRequest:
    point = BranchPoint(step=step, image="i", request=parent)
    return replace(parent, branch=point, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M Karras", "PNDM", "Heun", "UniPC", "DPM++ SDE"])
@pytest.mark.parametrize("step", [1, 3])
def test_a_branch_that_changes_nothing_is_its_parent(engine: EngineChild, tiny: Tiny, sampler: str, step: int) -> None:
    parent = request(sampler=sampler, steps=5)
    assert engine.image(command(branched(parent, step), tiny("sd1"))).pixels == (
        engine.image(command(parent, tiny("sd1"))).pixels
    )


def test_a_branch_tells_every_step_once_and_decodes_once(engine: EngineChild, tiny: Tiny) -> None:
    parent = request(sampler="Euler", steps=6)
    before = only(engine.run(command(parent, tiny("sd1"))), Idle)
    events = engine.run(command(branched(parent, 4, prompt="a blue dog"), tiny("sd1")))
    after = only(events, Idle)
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2, 3, 4, 5, 6]
    assert len([event for event in events if isinstance(event, Started)]) == 1
    assert len([event for event in events if isinstance(event, Decoding)]) == 1
    assert after.denoiser_calls - before.denoiser_calls == 6
    assert after.decodings - before.decodings == 1


def test_the_later_the_branch_the_nearer_to_its_parent(engine: EngineChild, tiny: Tiny) -> None:
    parent = request(sampler="DDIM", steps=8)
    own = engine.image(command(parent, tiny("sd1"))).pixels

    def away(step: int) -> float:
        child = engine.image(command(branched(parent, step, prompt="something else"), tiny("sd1"))).pixels
        return sum(abs(a - b) for a, b in zip(own, child, strict=True))

    early, late = away(1), away(7)
    assert 0 < late < early


def test_a_branch_of_a_branch_follows_the_path_that_led_there(engine: EngineChild, tiny: Tiny) -> None:
    parent = request(sampler="Euler", steps=6)
    child = branched(parent, 4, prompt="a blue dog")
    for step in (2, 5):
        again = branched(child, step)  # its words from `step` on; before that whatever its parent's path was
        pixels = engine.image(command(again, tiny("sd1"))).pixels
        ancestor = child if step > 4 else branched(parent, step, prompt="a blue dog")
        assert pixels == engine.image(command(ancestor, tiny("sd1"))).pixels


def test_a_branch_left_half_way_is_resumed(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    parent = request(sampler="DPM++ 2M", steps=6)
    wish = branched(parent, 2, prompt="a blue dog")
    whole = engine.image(command(wish, tiny("sd1"))).pixels
    place = str(tmp_path / "half.safetensors")
    half = command(replace(wish, until=4), tiny("sd1"))
    events = engine.run(replace(half, snapshot=place))
    assert only(events, Paused).step == 4
    finished = engine.run(replace(command(wish, tiny("sd1")), resume=place))
    assert only(finished, Image).pixels == whole
    assert [event.step for event in finished if isinstance(event, Step)] == [5, 6]


def test_a_finished_picture_is_decoded_again_from_what_is_kept_of_it(
    engine: EngineChild, tiny: Tiny, tmp_path: Path
) -> None:
    place = str(tmp_path / "finished.safetensors")
    parent = request(sampler="Heun", steps=5)  # nine iterations
    drawn = engine.run(replace(command(parent, tiny("sd1")), snapshot=place, snapshot_seconds=1e-6))
    wish = branched(parent, LAST_STEP)
    again = engine.run(replace(command(wish, tiny("sd1")), resume=place))
    assert only(again, Image).pixels == only(drawn, Image).pixels
    kept = only(again, Started).step  # of so small a picture the last snapshots may come too late
    assert kept > 0
    assert [event.step for event in again if isinstance(event, Step)] == list(range(kept + 1, 10))
    assert only(again, Idle).denoiser_calls == only(drawn, Idle).denoiser_calls + 9 - kept
    assert only(again, Idle).decodings == only(drawn, Idle).decodings + 1


@pytest.mark.parametrize("task", ["text", "image"])
def test_decoded_again_with_another_autoencoder(engine: EngineChild, tiny: Tiny, tmp_path: Path, task: str) -> None:
    place, other = str(tmp_path / "finished.safetensors"), [extra("vae", tiny_additions.autoencoder(tmp_path / "vae"))]
    parent = task_request(task, sampler="Euler a", steps=5)
    before = engine.run(replace(command(parent, tiny("sd1")), snapshot=place, snapshot_seconds=1e-6))
    wish = branched(parent, LAST_STEP, vae="mine")
    kept = engine.run(replace(command(wish, tiny("sd1"), extras=other), resume=place))
    assert only(kept, Started).step > 0
    gone = engine.run(replace(command(wish, tiny("sd1"), extras=other), resume=str(tmp_path / "gone")))
    assert only(gone, Image).pixels == only(kept, Image).pixels != only(before, Image).pixels
    if task == "text":  # the one it starts from would be encoded by the other one too
        whole = engine.image(command(replace(parent, vae="mine"), tiny("sd1"), extras=other))
        assert only(kept, Image).pixels == whole.pixels


def test_a_branch_begins_with_what_is_kept_of_its_parent(engine: EngineChild, tiny: Tiny, tmp_path: Path) -> None:
    parent, place = request(sampler="DPM++ 2M", steps=6), str(tmp_path / "half.safetensors")
    engine.run(replace(command(replace(parent, until=3), tiny("sd1")), snapshot=place))
    for step, spared in ((3, 3), (5, 3), (2, 0)):
        wish = branched(parent, step, prompt="a blue dog")
        whole = engine.run(command(wish, tiny("sd1")))
        sparing = engine.run(replace(command(wish, tiny("sd1")), resume=place))
        assert only(sparing, Image).pixels == only(whole, Image).pixels
        assert [event.step for event in sparing if isinstance(event, Step)] == list(range(spared + 1, 7))
        assert only(sparing, Started).step == spared
