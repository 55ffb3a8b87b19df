"""Every family in every task it does is the bare pipeline's, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen_desktop.domain.families import FAMILIES, IMAGE, INPAINT, MODEL_DEFAULT_SAMPLER, OTHER
from imagegen_desktop.engine.pipelines import PIPELINES
from imagegen_desktop.engine.samplers import FLOW_SAMPLERS
from imagegen_desktop.protocol.messages import Idle, Image, Preview
from tests.engine import bare
from tests.engine.engine_child import EngineChild, command, only, request, task_request

Tiny = Callable[[str], Path]

FLOW_FAMILIES = tuple(name for name, family in PIPELINES.items() if family.flow)
#: Families in every task with each of these samplers.
EVERY_TASK = [
    *(("sdxl", sampler) for sampler in (MODEL_DEFAULT_SAMPLER, "Euler a", "DPM++ 2M Karras", "UniPC", "DDIM")),
    *((name, sampler) for name in ("sd3", "flux") for sampler in (MODEL_DEFAULT_SAMPLER, *FAMILIES[name].samplers)),
    *((name, MODEL_DEFAULT_SAMPLER) for name in FLOW_FAMILIES if name not in ("sd3", "flux")),
]
TASK_CASES = [
    *((family, sampler, task) for family, sampler in EVERY_TASK for task in FAMILIES[family].tasks),
    *((name, "Euler a", task) for name in ("starter", "sd2") for task in (IMAGE, INPAINT)),
]
# The later families share their schedulers: each sampler in one task.
TASK_CASES += [
    (name, sampler, task)
    for name in FLOW_FAMILIES
    if name not in ("sd3", "flux")
    for sampler, task in zip(FAMILIES[name].samplers, FAMILIES[name].tasks * 3, strict=False)
]


def test_both_wings_know_the_same_families() -> None:
    assert [*PIPELINES, OTHER] == list(FAMILIES)
    for name in PIPELINES:
        family = FAMILIES[name]
        assert tuple(PIPELINES[name].classes) == family.tasks
        assert PIPELINES[name].negative_prompt == family.negative_prompt


@pytest.mark.parametrize(("family", "sampler", "task"), TASK_CASES)
def test_the_image_is_the_bare_pipelines(engine: EngineChild, tiny: Tiny, family: str, sampler: str, task: str) -> None:
    wish = task_request(task, sampler=sampler)
    events = engine.run(command(wish, tiny(family), family=family))
    assert only(events, Image).pixels == bare.pixels(wish, tiny(family))
    looks = [event for event in events if isinstance(event, Preview)]
    assert {(look.width, look.height) for look in looks} == {(8, 8)}
    assert len({look.pixels for look in looks}) == len(looks)


@pytest.mark.parametrize(
    ("family", "kind", "numbers"),
    [
        ("flux", "flux-schnell", {"steps": 4, "guidance": 0.0}),
        ("zimage", "zimage", {"steps": 8, "guidance": 0.0}),
        ("sdxl", "sdxl", {"steps": 1, "guidance": 0.0}),
        ("sd3", "sd3", {"steps": 4, "guidance": 0.0}),
    ],
)
def test_distilled_numbers_are_the_bare_pipelines(
    engine: EngineChild, tiny: Tiny, family: str, kind: str, numbers: dict[str, float]
) -> None:
    wish = request(**numbers)
    assert engine.image(command(wish, tiny(kind), family=family)).pixels == bare.pixels(wish, tiny(kind))


@pytest.mark.parametrize("family", FLOW_FAMILIES)
def test_every_flow_sampler_offered_is_known(family: str) -> None:
    assert set(FAMILIES[family].samplers) <= set(FLOW_SAMPLERS)


@pytest.mark.parametrize("family", ["sdxl", "sd3", "flux", "flux2", "zimage", "qwen"])
def test_a_repeated_prompt_costs_no_text_encoder_of_any_family(engine: EngineChild, tiny: Tiny, family: str) -> None:
    first = only(engine.run(command(request(), tiny(family), family=family)), Idle)
    again = only(engine.run(command(request(seed=9), tiny(family), family=family)), Idle)
    assert again.text_encodings == first.text_encodings


def test_a_model_that_only_fills_says_so(engine: EngineChild, tiny: Tiny) -> None:
    failed = engine.refusal(command(request(), tiny("flux-fill"), family="flux-fill"))
    assert (failed.kind, failed.message) == ("model", "This model only paints inside a mask.")
