"""Job states: the table of allowed moves is complete and has no way out of nowhere."""

from __future__ import annotations

import pytest

from imagegen_desktop.domain.errors import IllegalMove
from imagegen_desktop.domain.job import ACTIVE, FINISHED, MOVES, WAITING, Job, JobState, check_move
from imagegen_desktop.domain.request import GenerationRequest


def test_every_state_has_its_moves_and_belongs_to_one_group() -> None:
    assert set(MOVES) == set(JobState)
    for state in JobState:
        assert sum(state in group for group in (ACTIVE, FINISHED, WAITING)) == 1


def test_every_unfinished_job_can_reach_an_end() -> None:
    for state in JobState:
        reached, frontier = {state}, {state}
        while frontier:
            frontier = {to for known in frontier for to in MOVES[known]} - reached
            reached |= frontier
        assert reached & FINISHED


def test_a_done_job_stays_done() -> None:
    job = Job(id="1", state=JobState.DONE, request=GenerationRequest(prompt="a"))
    with pytest.raises(IllegalMove, match="done"):
        check_move(job, JobState.QUEUED)
