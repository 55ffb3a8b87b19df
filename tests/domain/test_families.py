"""What a family cannot do is said before anything is queued."""

from __future__ import annotations

import pytest

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.families import FAMILIES, INPAINT, TEXT, check_sampler, check_task
from imagegen_desktop.domain.model_card import ModelCard
from imagegen_desktop.domain.style import StylePreset
from imagegen_desktop.services.compose import defaults


def card(family: str, **numbers: float) -> ModelCard:
    return ModelCard(name="mine", path="/mine", family=family, size_bytes=1, width=512, height=512, **numbers)


def test_a_model_that_fills_says_what_it_works_from() -> None:
    check_task(INPAINT, FAMILIES["flux-fill"])
    with pytest.raises(BadInput, match=r"FLUX\.1 Fill.*an image and a mask"):
        check_task(TEXT, FAMILIES["flux-fill"])


def test_a_family_without_samplers_of_its_own_keeps_the_models() -> None:
    assert check_sampler("model DEFAULT", FAMILIES["other"]) == "Model default"
    with pytest.raises(BadInput, match="Another model offers Model default"):
        check_sampler("Euler", FAMILIES["other"])


@pytest.mark.parametrize(
    ("family", "steps", "guidance", "styled"),
    [("sdxl", 30, 5.0, True), ("sdxl", 4, 0.0, False), ("sd1", 6, 1.5, False), ("flux", 28, 3.5, False)],
)
def test_a_style_does_not_change_the_numbers_of_a_distilled_model(
    family: str, steps: int, guidance: float, styled: bool
) -> None:
    style = StylePreset(name="s", prompt="{prompt}", steps=35, guidance=8.0)
    found = defaults(card(family, steps=steps, guidance=guidance), style)
    assert (found["steps"], found["guidance"]) == ((35, 8.0) if styled else (steps, guidance))
