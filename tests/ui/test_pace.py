"""How fast it goes and how long the rest takes."""

from __future__ import annotations

import pytest

from imagegen_desktop.protocol.messages import Started, Step
from imagegen_desktop.ui.pace import Pace


def test_a_pace_counts_the_whole_batch() -> None:
    pace = Pace(count=2).after(Started(job="1", index=0, steps=10))
    assert pace.left is None
    for step in range(1, 6):
        pace = pace.after(Step(job="1", index=0, step=step, steps=10, seconds=0.5))
    assert pace.left == pytest.approx(7.5)
    assert pace.share == pytest.approx(0.25)
    assert pace.per_second == pytest.approx(2)


def test_one_slow_step_does_not_upset_the_forecast() -> None:
    pace = Pace().after(Started(job="1", index=0, steps=10))
    for seconds in (1, 1, 1, 5):
        pace = pace.after(Step(job="1", index=0, step=4, steps=10, seconds=seconds))
    assert 1 < pace.seconds < 3


def test_a_resumed_job_begins_where_it_was() -> None:
    assert Pace().after(Started(job="1", index=0, steps=10, step=6)).share == pytest.approx(0.6)
