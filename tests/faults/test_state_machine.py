"""The queue as a game with chance as the player: whatever happens in whatever order, what was promised holds."""

from __future__ import annotations

import hashlib
import platform
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from imagegen_desktop.domain.errors import IllegalMove
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.services.announce import Announcement, ImagesChanged
from imagegen_desktop.services.assemble import Parts
from imagegen_desktop.services.owners import process_owner
from tests.faults.scripted import ScriptedProvider, new_home, opened, wish

pytestmark = pytest.mark.slow

DEAD = f"{platform.node()}:{2**22 - 1}:1.00"
AT_REST = frozenset(JobState) - {JobState.LEASED, JobState.RUNNING, JobState.SAVING}


class AppDied(BaseException):
    """Ends our process in the middle of whatever it did; nothing that catches errors catches this."""


class QueueGame(RuleBasedStateMachine):
    """Remembers what the services promised, and nothing of how they keep it."""

    jobs: Bundle[str] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp())
        self._home = new_home(self._folder / "home")
        self._accepted: dict[str, int] = {}
        self._images: dict[str, tuple[str, str]] = {}
        self._parts, self._provider = self._start()

    def _start(self) -> tuple[Parts, ScriptedProvider]:
        provider = ScriptedProvider()
        self._owner = process_owner()
        parts = opened(self._home, provider, lambda: self._owner)
        parts.announce.subscribe(lambda heard: self._remember(parts, heard))
        parts.recover()
        return parts, provider

    def _remember(self, parts: Parts, heard: Announcement) -> None:
        if isinstance(heard, ImagesChanged):
            for image in map(parts.gallery.get, heard.added):
                self._images[image.id] = (image.path, image.file_sha256)

    def teardown(self) -> None:
        self._parts.close()
        shutil.rmtree(self._folder)

    @rule(target=jobs, count=st.integers(1, 3), priority=st.integers(-1, 1), many=st.integers(1, 3))
    def enqueue(self, count: int, priority: int, many: int) -> object:
        added = self._parts.queue.add_many([wish(count=count, priority=priority) for _ in range(many)])
        self._accepted |= {job.id: count for job in added}
        return multiple(*(job.id for job in added))

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        with suppress(IllegalMove):
            self._parts.queue.cancel([job])
            assert self._parts.queue.get(job).state is JobState.CANCELLED

    @rule(job=jobs, place=st.integers(0, 5))
    def reorder(self, job: str, place: int) -> None:
        with suppress(IllegalMove):
            self._parts.queue_edits.move(job, place)

    @rule(job=jobs, prompt=st.sampled_from(["a hare", "a crow"]))
    def edit(self, job: str, prompt: str) -> None:
        with suppress(IllegalMove):
            self._parts.queue_edits.edit([job], prompt=prompt)

    @rule(job=jobs)
    def pause(self, job: str) -> None:
        with suppress(IllegalMove):
            self._parts.queue.pause(job)

    @rule(job=jobs)
    def resume(self, job: str) -> None:
        with suppress(IllegalMove):
            self._parts.queue.resume(job)

    @rule(job=jobs)
    def retry(self, job: str) -> None:
        with suppress(IllegalMove):
            self._parts.queue.retry(job)

    @rule()
    def undo(self) -> None:
        with suppress(IllegalMove):
            self._parts.undo.undo()

    @rule(step=st.integers(1, 4), what=st.sampled_from(["nothing", "engine dies", "cancel", "pause"]))
    def run_one(self, step: int, what: str) -> None:
        acts: dict[str, Callable[[str], object]] = {
            "nothing": lambda job: None,
            "engine dies": lambda job: setattr(self._provider, "dying", True),
            "cancel": lambda job: self._parts.queue.cancel([job]),
            "pause": self._parts.queue.pause,
        }
        self._provider.at_step = (step, acts[what])
        self._parts.runner.work_once()

    @rule(step=st.integers(1, 4))
    def app_dies(self, step: int) -> None:
        """In the middle of a job, which is left to an owner who is no more."""

        def die(job: str) -> None:
            raise AppDied

        self._owner = DEAD
        self._provider.at_step = (step, die)
        with suppress(AppDied):
            self._parts.runner.work_once()
        self._parts.close()
        self._parts, self._provider = self._start()

    @rule(job=jobs, place=st.integers(0, 5))
    def another_process_writes(self, job: str, place: int) -> None:
        other = opened(self._home)
        try:
            with suppress(IllegalMove):
                other.queue_edits.move(job, place)
            other.runner.work_once()
            for image in other.gallery.page(limit=1000):
                self._images[image.id] = (image.path, image.file_sha256)
        finally:
            other.close()

    @rule()
    def delete_and_restore_the_newest_image(self) -> None:
        for image in self._parts.gallery.page(limit=1):
            self._parts.gallery.delete([image.id])
            assert not self._parts.gallery.file(image).exists()
            self._parts.gallery.restore([image.id])

    @invariant()
    def every_accepted_job_is_there_in_a_legal_state(self) -> None:
        for job in map(self._parts.queue.get, self._accepted):
            assert job.state in AT_REST, f"{job.state} with nobody at work"
            assert 0 <= job.images_done <= self._accepted[job.id]
            assert not job.owner

    @invariant()
    def no_image_is_made_twice_and_a_done_job_has_all(self) -> None:
        made = [(image.job, image.index) for image in self._parts.gallery.page(limit=1000)]
        assert len(made) == len(set(made))
        for job in map(self._parts.queue.get, self._accepted):
            drawn = sorted(index for name, index in made if name == job.id)
            assert drawn == list(range(job.images_done)), "a gap, or an image nobody counted"
            assert job.state is not JobState.DONE or len(drawn) == self._accepted[job.id]
        files = list((self._home / "images").rglob("*.png"))
        assert len(files) == len(made), "a file nobody knows"

    @invariant()
    def every_image_that_was_shown_is_there_byte_for_byte(self) -> None:
        for path, sha256 in self._images.values():
            assert hashlib.sha256((self._home / path).read_bytes()).hexdigest() == sha256


def test_whatever_happens_what_was_promised_holds(fault_count: int) -> None:
    """`--faults 5` plays 30 games of 15 moves, `--faults 100` 600 of 50."""
    games, moves = fault_count * 6, 15 if fault_count <= 5 else 50
    run_state_machine_as_test(
        QueueGame,
        settings=settings(
            max_examples=games,
            stateful_step_count=moves,
            deadline=None,
            database=None,
            derandomize=fault_count <= 5,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )
    print(f"{games} games of up to {moves} moves, every promise kept")
