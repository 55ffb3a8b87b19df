"""Paid calls: written once, by whoever holds the job; what they cost, known or perhaps; a limit that holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagegen_desktop.database.connection import Library, open_library
from imagegen_desktop.database.jobs import Jobs
from imagegen_desktop.database.paid_calls import PaidCalls
from imagegen_desktop.domain.errors import IllegalMove
from imagegen_desktop.domain.job import Job, JobState
from imagegen_desktop.domain.paid_call import CallState, PaidCall, Spent
from imagegen_desktop.domain.request import GenerationRequest


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path / "library.sqlite3", tmp_path / "backups") as library:
        yield library


def call(nonce: str, job: str = "j", **changes: object) -> PaidCall:
    values: dict[str, object] = {
        "index": 0,
        "provider": "openai",
        "model": "m",
        "estimate": 0.05,
        "began": "2026-11-02",
    }
    return PaidCall(nonce=nonce, job=job, **(values | changes))  # type: ignore[arg-type]


def test_a_call_is_remembered_through_its_life(library: Library) -> None:
    calls = PaidCalls(library)
    calls.begin(call("n"))
    assert calls.spent("2026-11-01") == {"openai": Spent(perhaps=0.05)}
    calls.change("n", CallState.ACCEPTED, provider_id="p1")
    assert [(each.provider_id, each.state) for each in calls.open_of(["j"])] == [("p1", CallState.ACCEPTED)]
    calls.change("n", CallState.ANSWERED, cost=0.04)
    assert calls.open_of(["j"]) == []
    assert calls.spent("2026-11-01") == {"openai": Spent(known=0.04)}
    assert calls.spent("2026-11-03") == {}


def test_what_was_refused_costs_nothing_and_what_is_unsure_counts(library: Library) -> None:
    calls = PaidCalls(library)
    for number, state in enumerate((CallState.REFUSED, CallState.CANCELLED, CallState.ABANDONED)):
        calls.begin(call(str(number), index=number))
        calls.change(str(number), state)
    assert calls.spent("") == {"openai": Spent(perhaps=0.1)}


def test_asking_again_abandons_the_open_call(library: Library) -> None:
    calls = PaidCalls(library)
    calls.begin(call("first"))
    calls.begin(call("second"))
    assert [(each.nonce, each.state) for each in calls.open_of(["j"])] == [("second", CallState.SUBMITTING)]


def test_the_limit_holds_however_many_ask_at_once(library: Library) -> None:
    calls = PaidCalls(library)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: calls.begin(call(f"n{n}", f"j{n}"), limit=0.21, since="2026-11-01"), range(40))
        )
    assert answers.count(None) == 4
    assert calls.spent("2026-11-01")["openai"].most <= 0.21


def test_only_who_holds_the_job_may_send(library: Library) -> None:
    calls, jobs = PaidCalls(library), Jobs(library)
    job = Job(id="j", state=JobState.LEASED, request=GenerationRequest(prompt="x"), owner="me", created="2026")
    jobs.add([job], lease_until=time.time() + 30, lease_seconds=30)
    with pytest.raises(IllegalMove):
        calls.begin(call("too early"), owner="me")
    jobs.move_state("j", JobState.RUNNING)
    calls.begin(call("mine"), owner="me")
    with pytest.raises(IllegalMove):
        calls.begin(call("not mine"), owner="somebody")
    assert [each.nonce for each in calls.open_of(["j"])] == ["mine"]
