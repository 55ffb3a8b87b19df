"""Branches: from a step of one picture on with other words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imagegen_desktop.domain.request import BranchPoint, GenerationRequest
from imagegen_desktop.protocol.messages import Decoding, Idle, Image, Paused, Started, Step
from tests.engine.engine_child import EngineChild, command, only, request

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
