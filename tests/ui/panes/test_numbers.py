"""Numbers follow the model until the artist touches them; sizes keep the model's area."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from imagegen_desktop.domain.cloud_model import SizeRule
from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.ui.panes.numbers import Numbers
from imagegen_desktop.ui.panes.size import RATIOS, sides_for
from imagegen_desktop.ui.theme import Theme

DEFAULTS = {"width": 512, "height": 512, "steps": 30, "guidance": 7.5}
OTHERS = {"width": 768, "height": 768, "steps": 20, "guidance": 5.0}


@pytest.fixture
def numbers(qtbot: QtBot, theme: Theme) -> Numbers:
    made = Numbers(theme)
    qtbot.addWidget(made)
    made.show_model(("Euler", "UniPC"), "PNDM", SizeRule(default=(512, 512), multiple=8, least_side=8))
    return made


def test_before_the_model_is_known_nothing_is_claimed(numbers: Numbers) -> None:
    assert {numbers.values()[name] for name in DEFAULTS} == {None}


def test_untouched_numbers_follow_and_touched_ones_stay(numbers: Numbers) -> None:
    numbers.show_defaults(DEFAULTS)
    numbers.findChild(QSpinBox, "stepsSpin").setValue(12)
    numbers.show_defaults(OTHERS)
    assert {name: numbers.values()[name] for name in DEFAULTS} == OTHERS | {"steps": 12}
    numbers.follow_model()
    assert numbers.values()["steps"] == 20


def test_another_pictures_request_is_taken_over(numbers: Numbers) -> None:
    numbers.show_defaults(DEFAULTS)
    wish = GenerationRequest(prompt="x", width=640, height=512, steps=30, guidance=3.0, seed=2**64 - 1, sampler="UniPC")
    numbers.show_request(wish)
    said = numbers.values()
    assert (said["width"], said["guidance"], said["seed"], said["sampler"]) == (640, 3.0, 2**64 - 1, "UniPC")
    numbers.show_defaults(OTHERS)
    assert (numbers.values()["width"], numbers.values()["steps"]) == (640, 20)


def test_a_seed_too_large_is_bad_input(numbers: Numbers) -> None:
    numbers.findChild(QLineEdit, "seedEdit").setText(str(2**64))
    with pytest.raises(BadInput, match="seed"):
        numbers.values()


def test_a_sampler_the_next_model_lacks_falls_back(numbers: Numbers) -> None:
    combo = numbers.findChild(QComboBox, "samplerCombo")
    combo.setCurrentIndex(combo.findData("UniPC"))
    numbers.show_model(("Euler",), "DDIM", SizeRule(default=(512, 512), multiple=8, least_side=8))
    assert numbers.sampler() == "Model default"


def test_a_typed_size_goes_to_the_nearest_that_can_be_drawn(numbers: Numbers, qtbot: QtBot) -> None:
    numbers.show_defaults(DEFAULTS)
    width = numbers.findChild(QSpinBox, "widthSpin")
    width.selectAll()
    qtbot.keyClicks(width, "515")
    qtbot.keyClick(width, Qt.Key.Key_Return)
    assert width.value() == 512


@pytest.mark.parametrize("ratio", RATIOS)
def test_proportions_keep_the_area(ratio: tuple[int, int]) -> None:
    width, height = sides_for(*ratio, 1024 * 1024, 64)
    assert width % 64 == height % 64 == 0
    assert width * height == pytest.approx(1024 * 1024, rel=0.1)
    assert width / height == pytest.approx(ratio[0] / ratio[1], rel=0.1)
