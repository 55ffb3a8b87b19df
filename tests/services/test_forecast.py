"""How long a picture will take, learnt from what this machine has drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imagegen_desktop.database.connection import open_library
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.services.forecast import Forecast

WISH = GenerationRequest(prompt="a fox", model="starter", width=128, height=128, steps=16)


@pytest.fixture
def forecast(tmp_path: Path) -> Iterator[Forecast]:
    with open_library(tmp_path / "library.sqlite3", tmp_path / "backups") as library:
        yield Forecast(library)


def test_a_model_that_was_never_run_has_no_forecast(forecast: Forecast) -> None:
    assert forecast.seconds(WISH) is None
    assert forecast.total([(WISH, 1.0)]) is None


def test_more_steps_pictures_and_pixels_take_longer(forecast: Forecast) -> None:
    forecast.learn(WISH, 2.0)
    assert forecast.seconds(WISH) == pytest.approx(2)
    assert forecast.seconds(replace(WISH, steps=32)) == pytest.approx(4)
    assert forecast.seconds(replace(WISH, count=3)) == pytest.approx(6)
    assert forecast.seconds(replace(WISH, width=256, height=256)) == pytest.approx(8)
    assert forecast.total([(WISH, 0.5), (WISH, 1.0)]) == pytest.approx(3)


def test_one_slow_picture_changes_nothing_and_a_machine_that_is_free_again_is_soon_believed(forecast: Forecast) -> None:
    for seconds in [1.0] * 4 + [60.0]:
        forecast.learn(WISH, seconds)
    assert forecast.seconds(WISH) == pytest.approx(1)
    for seconds in [8.0] * 20 + [1.0] * 4:
        forecast.learn(WISH, seconds)
    assert forecast.seconds(WISH) == pytest.approx(1)
