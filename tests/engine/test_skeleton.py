"""The skeleton that pose ControlNets are shown: points that are seen are drawn where they are, hidden ones are not."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegen_desktop.engine.skeleton import COLOURS, LIMBS, POINTS, drawn, openpose

WIDE, HIGH = 96, 80
#: Pixels a stroke may reach from a point or a limb at this size.
REACH = 3

POINT = st.tuples(st.integers(0, WIDE - 1), st.integers(0, HIGH - 1), st.booleans())
PERSON = st.lists(POINT, min_size=17, max_size=17)


def people(*found: list[tuple[int, int, bool]]) -> numpy.ndarray:
    """As ViTPose tells them: x, y and whether it is sure, 17 for each person."""
    return numpy.array(found, dtype=numpy.float64).reshape(-1, 17, 3)


def distance(x: int, y: int, start: numpy.ndarray, end: numpy.ndarray) -> float:
    """From a pixel to the stretch between two points."""
    along, there = end - start, numpy.array((x, y)) - start
    share = numpy.clip(there @ along / max(along @ along, 1e-9), 0, 1)
    return float(numpy.linalg.norm(there - share * along))


@settings(max_examples=60, deadline=None)
@given(crowd=st.lists(PERSON, min_size=1, max_size=2))
def test_what_is_seen_is_drawn_and_nothing_else(crowd: list[list[tuple[int, int, bool]]]) -> None:
    found = people(*crowd)
    picture = drawn(found, WIDE, HIGH)
    assert picture.shape == (HIGH, WIDE, 3) and picture.dtype == numpy.uint8
    strokes = []
    for person in (openpose(each) for each in found):
        seen = person[:, 2] > 0
        assert all(picture[int(y), int(x)].any() for x, y, sure in person if sure)
        strokes += [(person[at, :2], person[at, :2]) for at in range(POINTS) if seen[at]]
        strokes += [(person[one, :2], person[other, :2]) for one, other in LIMBS if seen[one] and seen[other]]
    for y, x in numpy.argwhere(picture.any(axis=2)):
        assert any(distance(x, y, start, end) <= REACH for start, end in strokes), (x, y)


@settings(max_examples=20, deadline=None)
@given(person=PERSON)
def test_a_hidden_point_leaves_nothing_of_itself(person: list[tuple[int, int, bool]]) -> None:
    hidden = [(x, y, False) for x, y, _ in person]
    assert not drawn(people(hidden), WIDE, HIGH).any()
    assert not drawn(people(), WIDE, HIGH).any()


def test_the_neck_lies_between_the_shoulders_that_are_seen() -> None:
    standing = [(0, 0, False)] * 17
    standing[5], standing[6] = (60, 20, True), (20, 30, True)
    assert openpose(people(standing)[0])[1].tolist() == [40, 25, 1]
    standing[6] = (20, 30, False)
    assert openpose(people(standing)[0])[1, 2] == 0


@pytest.mark.parametrize(
    ("theirs", "ours", "colour"),
    [(0, 0, (255, 0, 0)), (6, 2, (255, 170, 0)), (5, 5, (85, 255, 0)), (9, 7, (0, 255, 85)), (16, 10, (0, 170, 255)),
     (2, 14, (170, 0, 255)), (3, 17, (255, 0, 85))],
)  # fmt: skip
def test_each_point_has_its_place_and_colour(theirs: int, ours: int, colour: tuple[int, int, int]) -> None:
    """Left and right are the person's own, as in both tables."""
    alone = [(0, 0, False)] * 17
    alone[theirs] = (48, 40, True)
    assert openpose(people(alone)[0])[ours].tolist() == [48, 40, 1]
    assert COLOURS[ours] == colour
    assert tuple(drawn(people(alone), WIDE, HIGH)[40, 48]) == colour
