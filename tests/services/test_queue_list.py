"""The list of jobs read anew in part is the list read as a whole."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from imagegen_desktop.domain.errors import Problem
from imagegen_desktop.services.announce import Announcement, JobsChanged
from imagegen_desktop.services.assemble import Parts
from tests.services.test_runner import wish


def moves(parts: Parts, chance: random.Random) -> list[Callable[[str], object]]:
    queue, edits = parts.queue, parts.queue_edits
    return [
        lambda job: queue.add(wish(f"more {chance.random()}", priority=chance.choice([0, 0, 5]))),
        lambda job: queue.cancel([job]),
        queue.retry,
        queue.pause,
        queue.resume,
        lambda job: edits.move(job, chance.randrange(8)),
        lambda job: edits.edit([job], prompt="another"),
        lambda job: edits.duplicate([job]),
        lambda job: edits.clear_finished() if chance.random() < 0.2 else None,
        lambda job: parts.runner.work_once(),
        lambda job: parts.undo.undo(),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_it_is_the_same_list(parts: Parts, seed: int) -> None:
    chance = random.Random(seed)
    changed: set[str] = set()
    whole = False

    def hear(heard: Announcement) -> None:
        nonlocal whole
        if isinstance(heard, JobsChanged):
            changed.update(heard.ids)
            whole |= not heard.ids

    parts.announce.subscribe(hear)
    parts.queue.add_many([wish(str(number)) for number in range(8)])
    known = parts.queue.jobs(finished=4)
    for _ in range(60):
        changed.clear()
        whole = False
        job = chance.choice([*known, *parts.queue.jobs(0)]).id if known else ""
        try:
            chance.choice(moves(parts, chance))(job)
        except Problem:
            pass  # not possible with this one
        known = parts.queue.jobs(finished=4) if whole else parts.queue.jobs_after(known, changed, finished=4)
        assert known == parts.queue.jobs(finished=4)
