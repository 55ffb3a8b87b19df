"""The history's rows: numbers, pages, search, filters, bin, and the job that is counted with them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagegen_desktop.database.connection import Library, open_library
from imagegen_desktop.database.images import Images
from imagegen_desktop.database.jobs import Jobs
from imagegen_desktop.database.rows import request_key
from imagegen_desktop.database.selection import ImageFilter
from imagegen_desktop.domain.errors import BadInput, NotFound
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.domain.request import GenerationRequest, SourceImage

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def images(library: Library) -> Images:
    return Images(library)


@pytest.fixture(scope="module")
def searched(make_image: Any) -> Iterator[Images]:
    with tempfile.TemporaryDirectory() as folder, open_library(Path(folder, "l"), Path(folder, "b")) as library:
        images = Images(library)
        images.add(make_image("a", prompt="a castle"))
        yield images


def _ids(found: Any) -> str:
    return "".join(image.id for image in found)


def test_an_image_comes_back_as_it_was(images: Images, make_image: Any) -> None:
    source = SourceImage(sha256="cd" * 32, width=16, height=16)
    request = GenerationRequest(prompt="x", negative_prompt="y", image=source, strength=0.5, seed=2**64 - 1)
    image = make_image(
        "a", request=request, tags=("red", "two words"), parents=("p1", "p2"), cost=0.04, resumed_at=7, seconds=1.5,
        rating=4, model_hash="abc",
    )  # fmt: skip
    added = images.add(image)
    assert added == replace(image, number=1)
    assert images.get("a") == added
    assert images.rows([5, 1]) == (added,)
    with pytest.raises(NotFound):
        images.get("b")


def test_saving_the_last_image_finishes_the_job_in_the_same_transaction(
    library: Library, make_image: Any, make_job: Any
) -> None:
    images, jobs = Images(library), Jobs(library)
    jobs.add([make_job("j", request=GenerationRequest(prompt="x", count=2, seed=1))])
    jobs.claim("me", NOW, 60, ["local"])
    jobs.move_state("j", JobState.RUNNING, step=3, steps=20)
    jobs.move_state("j", JobState.SAVING)
    images.add(make_image("a", "j", 0))
    assert (jobs.get("j").state, jobs.get("j").images_done) == (JobState.RUNNING, 1)
    jobs.move_state("j", JobState.SAVING)
    images.add(make_image("b", "j", 1), finished="2026-11-21T12:00:05Z")
    done = jobs.get("j")
    assert (done.state, done.images_done, done.finished, done.owner) == (JobState.DONE, 2, "2026-11-21T12:00:05Z", "")
    assert (done.step, done.steps) == (20, 20)


def test_one_job_and_index_is_one_image(library: Library, make_image: Any, make_job: Any) -> None:
    images, jobs = Images(library), Jobs(library)
    jobs.add([make_job("j", request=GenerationRequest(prompt="x", count=2, seed=1))])
    first = images.add(make_image("a", "j", 0))
    assert images.add(make_image("again", "j", 0)) == first
    assert jobs.get("j").images_done == 1
    assert images.made_by("j", 0) == first
    assert images.made_by("j", 1) is None
    assert images.count() == 1


def test_an_image_of_a_cancelled_job_is_kept_and_the_job_stays_cancelled(
    library: Library, make_image: Any, make_job: Any
) -> None:
    jobs = Jobs(library)
    jobs.add([make_job("j")])
    jobs.move_state("j", JobState.CANCELLED)
    Images(library).add(make_image("a", "j", 0))
    assert jobs.get("j").state is JobState.CANCELLED


def test_pages_go_on_where_the_last_ended(images: Images, make_image: Any) -> None:
    for name in "abcdefg":
        images.add(make_image(name))
    first = images.page(limit=3)
    assert _ids(first) == "gfe"
    images.add(make_image("h"))
    assert _ids(images.page(first[-1].number, limit=3)) == "dcb"
    assert _ids(images.page(1)) == ""


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("castle", "ca"), ("CAST", "ca"), ("castle hill", "a"), ("hill cas", "a"), ('"castle on"', "a"),
        ('"on castle"', ""), ("-castle", "db"), ("castle -hill", "c"), ("café", "d"), ("cafe", "d"), ("blurry", "b"),
        ("anime", "c"), ("starter", "dcba"), ("holiday", "b"), ("", "dcba"), ("  ", "dcba"), ("!!!", "dcba"),
        ('"', "dcba"), ("-", "dcba"), ("castle OR dog", ""), ("prompt:castle", ""), ('-"castle on"', "dcb"),
    ],
)  # fmt: skip
def test_search(images: Images, make_image: Any, typed: str, found: str) -> None:
    images.add(make_image("a", prompt="A castle on a hill"))
    images.add(
        make_image(
            "b", request=GenerationRequest(prompt="a dog", negative_prompt="blurry", model="starter"), tags=("holiday",)
        )
    )
    images.add(make_image("c", request=GenerationRequest(prompt="castles", style="anime", model="starter")))
    images.add(make_image("d", prompt="Café in the rain"))
    assert _ids(images.page(query=typed)) == found
    assert [images.rows([n])[0].id for n in images.numbers(typed)] == list(found)
    assert images.count(typed) == len(found)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet='"-*^()+:{} ANDORNTEcastle\0', max_size=60))
@example('castle AND ("')
@example("NEAR(a b, 3)")
@example("\ud800")
@example(" ".join(["word"] * 500))
def test_nothing_typed_is_ever_an_error(searched: Images, typed: str) -> None:
    assert not typed or not searched.page(filters=ImageFilter(tag=typed, style=typed))
    assert len(searched.page(query=typed)) == searched.count(typed) == len(searched.numbers(typed))


def test_filters(images: Images, make_image: Any) -> None:
    request = GenerationRequest(prompt="castle", style="anime", model="sd1", provider="openai")
    images.add(make_image("a", request=request, rating=4, tags=("x",)))
    images.add(make_image("b", "job", 0, tags=("xy",), rating=2))
    cases = {
        ImageFilter(style="anime"): "a", ImageFilter(model="starter"): "b", ImageFilter(provider="openai"): "a",
        ImageFilter(task="text"): "ba", ImageFilter(task="image"): "", ImageFilter(job="job"): "b",
        ImageFilter(tag="x"): "a", ImageFilter(least_rating=3): "a", ImageFilter(least_rating=1, tag="xy"): "b",
    }  # fmt: skip
    for filters, found in cases.items():
        assert _ids(images.page(filters=filters)) == found
        assert len(images.numbers(filters=filters)) == images.count(filters=filters) == len(found)
        assert _ids(images.page(query="castle", filters=filters)) == found.replace("b", "")
        assert images.count("castle", filters) == len(found.replace("b", ""))


def test_the_bin_and_back(images: Images, make_image: Any) -> None:
    for name in "ab":
        images.add(make_image(name, prompt="castle"))
    images.bin(["a"], "2026-11-21T13:00:00Z")
    in_bin = ImageFilter(binned=True)
    assert (_ids(images.page()), _ids(images.page(filters=in_bin))) == ("b", "a")
    assert (images.count("castle"), images.count("castle", in_bin), len(images.numbers("castle"))) == (1, 1, 1)
    images.restore(["a"])
    assert _ids(images.page()) == "ba"
    assert images.count("castle", in_bin) == 0
    with pytest.raises(NotFound):
        images.bin(["b", "nobody"], "2026-11-21T13:00:00Z")
    assert images.get("b").deleted == ""


def test_rating_and_tags(images: Images, make_image: Any) -> None:
    images.add(make_image("a", tags=("old",)))
    images.rate(["a"], 5)
    images.tag(["a"], add=[" two\nwords ", "old"], remove=["missing"])
    assert (images.get("a").rating, images.get("a").tags) == (5, ("old", "two words"))
    assert _ids(images.page(query="words")) == "a"
    images.tag(["a"], remove=["old"])
    assert (images.get("a").tags, images.count("old")) == (("two words",), 0)
    with pytest.raises(BadInput):
        images.rate(["a"], 6)
    with pytest.raises(BadInput):
        images.tag(["a"], add=["  "])


def test_files_that_moved(images: Images, make_image: Any) -> None:
    images.add(make_image("a"))
    images.mark_missing(["a"])
    assert images.get("a").missing
    images.correct(replace(images.get("a"), path="images/2026/12/a.png", missing=False))
    assert (images.get("a").missing, images.get("a").path) == (False, "images/2026/12/a.png")


def test_the_result_of_an_equal_request_is_found(images: Images, make_image: Any) -> None:
    request = GenerationRequest(prompt="x", seed=1)
    images.add(make_image("a", request=request, model_hash="m1"))
    images.add(make_image("b", request=replace(request, priority=3), model_hash="m2"))
    key = request_key(request)
    assert images.find_same_request(key).id == "b"  # type: ignore[union-attr]
    assert images.find_same_request(key, "m1").id == "a"  # type: ignore[union-attr]
    images.bin(["b"], "2026")
    images.mark_missing(["a"])
    assert images.find_same_request(key) is None


def test_paging_and_searching_never_sort(library: Library) -> None:
    """A sort would make the first page of a million wait for all of them."""
    from imagegen_desktop.database.selection import EVERYTHING, select_numbers, select_rows

    statements = [
        select_rows("castle", EVERYTHING, None, 100),
        select_rows("", EVERYTHING, 50, 100),
        select_rows("", ImageFilter(model="x"), 50, 100),
        select_rows("", ImageFilter(least_rating=4), None, 100),
        select_rows("", ImageFilter(tag="x"), None, 100),
        select_numbers("", EVERYTHING),
        select_numbers("castle -dog", EVERYTHING),
        select_numbers("", ImageFilter(style="x")),
    ]
    for sql, values in statements:
        plan = " ".join(
            row[3]
            for row in library.read(lambda db, s=sql, v=values: list(db.execute_sql("EXPLAIN QUERY PLAN " + s, v)))
        )
        assert "TEMP B-TREE FOR ORDER" not in plan, (sql, plan)
    for sql, values in (select_numbers("", EVERYTHING), select_numbers("", ImageFilter(style="x"))):
        plan = " ".join(
            row[3]
            for row in library.read(lambda db, s=sql, v=values: list(db.execute_sql("EXPLAIN QUERY PLAN " + s, v)))
        )
        assert "COVERING INDEX" in plan
