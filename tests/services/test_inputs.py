"""Pictures that jobs start from go when nobody speaks of them any more, and never before."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegen_desktop.database.connection import open_library
from imagegen_desktop.database.images import Images
from imagegen_desktop.database.jobs import Jobs
from imagegen_desktop.domain.errors import NotFound
from imagegen_desktop.domain.job import Job, JobState
from imagegen_desktop.domain.request import LAST_STEP, BranchPoint, Control, GenerationRequest, SourceImage
from imagegen_desktop.imaging.decode import Decoder
from imagegen_desktop.services.announce import Announcer
from imagegen_desktop.services.draft import Draft
from imagegen_desktop.services.housekeeping import Housekeeping
from imagegen_desktop.services.sources import Sources
from imagegen_desktop.services.undo import Undo
from imagegen_desktop.storage.local import LocalStorage

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PLACES = ("nowhere", "image", "mask", "control", "branch", "draft", "undone", "young")


class House:
    """A home with a queue, a draft and a housekeeper."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.library = open_library(root / "library.sqlite3", root / "backups")
        self.storage, announce = LocalStorage(root), Announcer()
        decoder = Decoder()
        self.sources = Sources(self.storage, decoder)
        self.undo = Undo(self.library, announce)
        self.draft = Draft(self.library, self.sources, self.undo, announce)
        self.jobs = Jobs(self.library)
        self.keeper = Housekeeping(self.library, Images(self.library), self.storage, decoder, announce)

    def source(self, number: int, days: float = 100.0) -> SourceImage:
        source = self.sources.keep_png(b"picture %d" % number, 8, 8)
        self.age(source, days)
        return source

    def age(self, source: SourceImage, days: float) -> None:
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(self.sources.file(source), (moment, moment))

    def refer(self, place: str, source: SourceImage, number: int, state: JobState) -> None:
        plain = GenerationRequest(prompt="a fox", seed=1, model="paper")
        requests = {
            "image": replace(plain, image=source),
            "mask": replace(plain, image=source, mask=source),
            "control": replace(plain, controls=(Control(model="edges", image=source),)),
            "branch": replace(
                plain, branch=BranchPoint(step=LAST_STEP, image="i", request=replace(plain, image=source))
            ),
        }
        if place in requests:
            self.jobs.add([Job(id=f"job{number}", state=state, request=requests[place])])
        elif place == "draft":
            self.draft.start_from(source)
        elif place == "undone":
            self.draft.start_from(source)
            self.undo.undo()
        elif place == "young":
            self.age(source, 1.0)

    def is_there(self, source: SourceImage) -> bool:
        return self.sources.file(source).is_file()

    def prune(self) -> None:
        self.keeper.prune_inputs(NOW - timedelta(days=8))
        self.keeper.prune_inputs(NOW)

    def close(self) -> None:
        self.library.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(list(JobState))), max_size=8))
def test_what_is_spoken_of_stays_and_the_rest_goes(wishes: list[tuple[str, JobState]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        try:
            sources = [house.source(number) for number in range(len(wishes))]
            for number, (place, state) in enumerate(wishes):
                house.refer(place, sources[number], number, state)
            house.prune()
            # A change of the draft forgets what was undone before it.
            last_undone = {"undone": -1} | {place: n for n, (place, _) in enumerate(wishes) if place == "undone"}
            later_draft = any(place == "draft" for place, _ in wishes[last_undone["undone"] + 1 :])
            for number, (place, _) in enumerate(wishes):
                if place == "nowhere":
                    assert not house.is_there(sources[number])
                elif place != "undone" or (number == last_undone["undone"] and not later_draft):
                    assert house.is_there(sources[number]), place
        finally:
            house.close()


def test_a_stroke_that_can_no_longer_be_undone_goes(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        picture = house.source(0)
        house.draft.start_from(picture)
        for stroke in range(210):  # more than undo remembers
            house.draft.paint("Paint", b"stroke %d" % stroke, picture)
        for file in (tmp_path / "inputs").iterdir():
            os.utime(file, (1, 1))
        before = len(list((tmp_path / "inputs").iterdir()))
        house.prune()
        left = len(list((tmp_path / "inputs").iterdir()))
        assert before == 211
        assert 200 <= left < before
        for _ in range(200):
            assert house.undo.undo()
            draft = house.draft.now()
            assert draft.mask is None or house.is_there(draft.mask)
    finally:
        house.close()


def test_a_clock_that_was_wrong_once_is_a_first_look_and_not_the_last_one(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        source = house.source(0)
        house.keeper.prune_inputs(NOW + timedelta(days=1000))
        house.keeper.prune_inputs(NOW)
        assert house.is_there(source)
        house.keeper.prune_inputs(NOW + timedelta(days=8))
        assert not house.is_there(source)
    finally:
        house.close()


def test_the_first_look_removes_nothing_and_kept_again_is_young_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        source, again = house.source(0), house.source(1)
        house.keeper.prune_inputs(NOW)
        assert house.is_there(source), "a library that was just made or restored may not know its pictures yet"
        house.sources.keep_png(b"picture 1", 8, 8)
        house.keeper.prune_inputs(NOW + timedelta(days=8))
        assert not house.is_there(source)
        assert house.is_there(again)
    finally:
        house.close()


def test_what_is_no_source_is_left_alone(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        stranger = tmp_path / "inputs" / "holiday.png"
        stranger.parent.mkdir(exist_ok=True)
        stranger.write_bytes(b"mine")
        os.utime(stranger, (1, 1))
        house.prune()
        assert stranger.is_file()
        with pytest.raises(NotFound):
            house.storage.source_path("holiday")
    finally:
        house.close()
