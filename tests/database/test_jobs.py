"""The queue's rows: order, leases, moves and recovery."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegen_desktop.database.connection import Library, open_library
from imagegen_desktop.database.jobs import Jobs, stamp
from imagegen_desktop.database.rows import request_from_json, request_key, request_to_json, requests_to_json
from imagegen_desktop.domain.errors import IllegalMove, NotFound
from imagegen_desktop.domain.job import Job, JobError, JobState
from imagegen_desktop.domain.request import BranchPoint, GenerationRequest, LoraWeight, SourceImage

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOCAL = ("local",)


@pytest.fixture
def jobs(library: Library) -> Jobs:
    return Jobs(library)


def _order(jobs: Jobs) -> str:
    return "".join(job.id for job in jobs.list())


def _run(jobs: Jobs, job_id: str, owner: str = "me") -> None:
    job = jobs.claim(owner, NOW, 60, LOCAL)
    assert job is not None
    assert job.id == job_id
    jobs.move_state(job_id, JobState.RUNNING)


def test_a_job_comes_back_as_it_was(jobs: Jobs, make_job: Any) -> None:
    request = GenerationRequest(
        prompt="日本の城\n\"quoted\" {brace} \U0001f3f0", seed=2**64 - 1, width=64, height=64, steps=3, guidance=0.1,
        image=SourceImage(sha256="ab" * 32, width=8, height=8, name="x.png"), strength=0.3,
        loras=(LoraWeight(name="ink", weight=-0.5),), provider="openai", priority=3,
    )  # fmt: skip
    job = make_job("a", request=request, priority=3, error=JobError(kind="disk", message="full", advice="free some"))
    jobs.add([job])
    found = jobs.get("a")
    assert found == make_job("a", request=request, priority=3, error=job.error, position=found.position)
    assert request_from_json(request_to_json(request)) == request
    assert GenerationRequest.from_dict(request.to_dict()) == request


_SOME_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_SOME_REQUESTS = st.lists(
    st.builds(
        GenerationRequest,
        prompt=_SOME_WORDS,
        negative_prompt=_SOME_WORDS,
        seed=st.none() | st.integers(0, 2**64 - 1),
        steps=st.sampled_from([None, 1, 20]),
        guidance=st.sampled_from([None, 0.1, 7.5]),
        loras=st.sampled_from([(), (LoraWeight(name="ink", weight=-0.5),)]),
        image=st.sampled_from([None, SourceImage(sha256="ab" * 32, width=8, height=8, name="x.png")]),
        branch=st.sampled_from([None, BranchPoint(step=3, image="one", request=GenerationRequest(prompt="a fox"))]),
    ),
    max_size=8,
)


@given(_SOME_REQUESTS)
def test_requests_written_together_come_back_as_they_were(requests: list[GenerationRequest]) -> None:
    written = list(requests_to_json(requests))
    assert [request_from_json(text) for text in written] == requests
    assert written == [request_to_json(request) for request in requests]


def test_unknown_jobs_are_not_found(jobs: Jobs) -> None:
    with pytest.raises(NotFound):
        jobs.get("nobody")
    with pytest.raises(NotFound):
        jobs.move_state("nobody", JobState.CANCELLED)


def test_order_is_priority_then_position(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job("a"), make_job("b"), make_job("c", priority=1)])
    jobs.add([make_job("d")])
    assert _order(jobs) == "cabd"
    assert jobs.counts() == dict.fromkeys(JobState, 0) | {JobState.QUEUED: 4}


def test_claim_takes_the_most_urgent_of_our_providers_and_counts_the_attempt(jobs: Jobs, make_job: Any) -> None:
    paid = make_job("p", request=GenerationRequest(prompt="x", provider="openai"), priority=9)
    jobs.add([make_job("a"), paid, make_job("b", priority=1)])
    claimed = jobs.claim("me", NOW, 30, LOCAL)
    assert claimed is not None
    assert (claimed.id, claimed.state, claimed.attempts, claimed.owner) == ("b", JobState.LEASED, 1, "me")
    assert jobs.claim("me", NOW, 30, ["local", "openai"]).id == "p"  # type: ignore[union-attr]
    assert jobs.claim("me", NOW, 30, LOCAL).id == "a"  # type: ignore[union-attr]
    assert jobs.claim("me", NOW, 30, LOCAL) is None


def test_no_job_is_claimed_twice(tmp_path: Any, make_job: Any) -> None:
    with (
        open_library(tmp_path / "l.sqlite3", tmp_path / "b") as one,
        open_library(tmp_path / "l.sqlite3", tmp_path / "b") as two,
    ):
        Jobs(one).add([make_job(f"j{n}") for n in range(40)])
        claimed: list[str] = []

        def claim_all(library: Library, owner: str) -> None:
            while job := Jobs(library).claim(owner, NOW, 60, LOCAL):
                claimed.append(job.id)

        threads = [threading.Thread(target=claim_all, args=(lib, str(n))) for n, lib in enumerate((one, two, one, two))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(claimed) == sorted(f"j{n}" for n in range(40))


def test_moves_follow_the_table_and_change_fields_with_them(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job("a")])
    with pytest.raises(IllegalMove, match="queued and cannot become done"):
        jobs.move_state("a", JobState.DONE)
    _run(jobs, "a")
    failed = jobs.move_state("a", JobState.FAILED, finished=stamp(NOW), error=JobError(kind="engine", message="broke"))
    assert (failed.state, failed.owner, failed.finished) == (JobState.FAILED, "", "2026-11-21T12:00:00.000Z")
    assert failed.error == JobError(kind="engine", message="broke")
    assert jobs.move_state("a", JobState.QUEUED, error=None, attempts=0).error is None
    with pytest.raises(TypeError, match="colour"):
        jobs.move_state("a", JobState.PAUSED, colour="red")


def test_who_lost_a_job_cannot_move_it(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job("a")])
    _run(jobs, "a", "other")
    with pytest.raises(IllegalMove, match="taken over"):
        jobs.move_state("a", JobState.SAVING, held_by="me")
    assert jobs.move_state("a", JobState.SAVING, held_by="other").state is JobState.SAVING


def test_heartbeat_renews_the_lease_of_its_owner_only(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job("a")])
    _run(jobs, "a")
    later = NOW + timedelta(seconds=50)
    assert jobs.heartbeat("a", "me", step=3, steps=20, image_index=0, now=later)
    assert not jobs.heartbeat("a", "other", step=9, steps=20, image_index=0, now=later)
    assert (jobs.get("a").step, jobs.get("a").steps) == (3, 20)
    assert jobs.recover(NOW + timedelta(seconds=100)) == ()
    jobs.move_state("a", JobState.CANCELLED)
    assert not jobs.heartbeat("a", "me", step=4, steps=20, image_index=0, now=later)
    assert jobs.get("a").step == 3


def test_a_job_may_come_with_its_owner_and_lease(jobs: Jobs, make_job: Any) -> None:
    until = NOW.timestamp() + 30
    jobs.add([make_job("a", state=JobState.LEASED, owner="me"), make_job("b")], lease_until=until, lease_seconds=30)
    assert jobs.recover(NOW) == ()
    assert jobs.heartbeat("a", "me", step=1, steps=2, image_index=0, now=NOW + timedelta(seconds=20))
    assert jobs.recover(NOW + timedelta(seconds=49)) == ()
    assert [job.id for job in jobs.recover(NOW + timedelta(seconds=51))] == ["a"]


def test_recover_frees_jobs_of_the_dead_and_keeps_their_attempts(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job("a"), make_job("b"), make_job("c")])
    _run(jobs, "a", "dead")
    _run(jobs, "b", "alive")
    assert [(job.id, job.state, job.attempts) for job in jobs.recover(NOW, {"dead"})] == [("a", JobState.QUEUED, 1)]
    assert jobs.get("b").state is JobState.RUNNING
    assert [job.id for job in jobs.recover(NOW + timedelta(seconds=61))] == ["b"]
    assert jobs.claim("me", NOW, 60, LOCAL).attempts == 2  # type: ignore[union-attr]


def test_a_job_that_may_have_been_paid_for_does_not_queue_again(jobs: Jobs, make_job: Any) -> None:
    request = GenerationRequest(prompt="x", provider="openai")
    jobs.add([make_job(name, request=request) for name in "lrs"])
    for name, states in {"l": [], "r": [JobState.RUNNING], "s": [JobState.RUNNING, JobState.SAVING]}.items():
        jobs.claim("dead", NOW, 60, ["openai"])
        for state in states:
            jobs.move_state(name, state)
    freed = {job.id: job.state for job in jobs.recover(NOW, {"dead"}, at_most_once=["openai"])}
    assert freed == {"l": JobState.QUEUED, "r": JobState.UNCERTAIN, "s": JobState.PARKED}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=12))
def test_reorder_puts_a_job_exactly_there(moves: list[tuple[int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_library(Path(folder, "l"), Path(folder, "b")) as library:
        jobs = Jobs(library)
        expected = [f"{n}" for n in range(8)]
        priorities = (1, 1, 0, 0, 0, 0, -1, -1)
        jobs.add(
            [
                Job(id=name, state=JobState.QUEUED, request=GenerationRequest(prompt="x"), priority=priority)
                for name, priority in zip(expected, priorities, strict=True)
            ]
        )
        for which, to in moves:
            expected.remove(str(which))
            expected.insert(to, str(which))
            jobs.reorder(str(which), to)
            assert _order(jobs) == "".join(expected)


def test_reorder_survives_more_moves_than_a_gap_has_halves(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job(name) for name in "abc"])
    for _ in range(40):
        jobs.reorder("c", 1)
        jobs.reorder("b", 1)
    assert _order(jobs) == "abc"
    _run(jobs, "a")
    with pytest.raises(IllegalMove):
        jobs.reorder("a", 1)


def test_requests_of_waiting_jobs_can_be_changed_all_or_none(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job("a"), make_job("b")])
    other = GenerationRequest(prompt="other", provider="openai", priority=5)
    assert [job.request for job in jobs.update_request(["b"], [other])] == [other]
    assert (_order(jobs), jobs.get("b").priority) == ("ba", 5)
    _run(jobs, "a")
    with pytest.raises(IllegalMove):
        jobs.update_request(["b", "a"], [GenerationRequest(prompt="third")] * 2)
    assert jobs.get("b").request == other


def test_what_was_removed_can_be_put_back_where_it_was(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job(name) for name in "abcd"])
    removed = jobs.remove(["b", "c"])
    assert _order(jobs) == "ad"
    jobs.add(removed)
    assert _order(jobs) == "abcd"
    _run(jobs, "a")
    with pytest.raises(IllegalMove):
        jobs.remove(["d", "a"])
    assert len(jobs.list()) == 4


def test_clear_finished_leaves_the_others(jobs: Jobs, make_job: Any) -> None:
    jobs.add([make_job(name) for name in "abc"])
    _run(jobs, "a")
    jobs.move_state("a", JobState.DONE)
    jobs.move_state("b", JobState.CANCELLED)
    assert {job.id for job in jobs.clear_finished()} == {"a", "b"}
    assert [job.id for job in jobs.list({JobState.QUEUED})] == ["c"]
    assert jobs.list({JobState.DONE}) == ()


def test_ten_thousand_jobs_are_one_quick_transaction(jobs: Jobs, make_job: Any) -> None:
    many = [make_job(f"{n:05}") for n in range(10_000)]
    start = time.perf_counter()
    jobs.add(many)
    assert time.perf_counter() - start < 3.0  # generous: other work shares the machine
    assert len(jobs.list()) == 10_000
    start = time.perf_counter()
    jobs.reorder("09999", 5000)
    assert time.perf_counter() - start < 1.0
    with pytest.raises(Exception, match="UNIQUE"):
        jobs.add([make_job("new"), make_job("00001")])
    with pytest.raises(NotFound):
        jobs.get("new")


def test_equal_requests_have_equal_keys_and_only_pixels_count() -> None:
    request = GenerationRequest(prompt="a", seed=3)
    assert request_key(request) == request_key(GenerationRequest(prompt="a", seed=3, priority=8, use_cache=False))
    assert request_key(request) != request_key(GenerationRequest(prompt="a", seed=4))
    assert request_key(request) != request_key(GenerationRequest(prompt="a", seed=3, width=64, height=64))


def test_keys_of_earlier_versions_stay_what_they_are() -> None:
    plain = GenerationRequest(
        prompt="a cat", model="starter", width=128, height=128, steps=20, guidance=4.0, sampler="Euler", seed=7
    )
    assert request_key(plain).hex() == "d3ba3554b5544b0f20c269d7d4517b056cf3c133c98752570ba425d9058dfcbe"
    source = SourceImage(sha256="0" * 64, width=8, height=8, name="x.png", origin="somewhere")
    from_picture = GenerationRequest(prompt="a cat", model="starter", seed=7, image=source, strength=0.5)
    assert request_key(from_picture).hex() == "6d1356cf277197d3186fe93240e71039031fb94590548e9a8f4f7e12e0a39388"
    for change in ({"tiling": "x"}, {"clip_skip": 2}, {"prompts": ("a dog",)}, {"variation_strength": 0.1}):
        assert request_key(replace(plain, **change)) != request_key(plain)
