"""Driving one job through its provider's events to its end, whatever happens to it on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..database.jobs import Jobs
from ..domain.errors import (
    DatabaseProblem,
    DiskProblem,
    EngineDied,
    IllegalMove,
    NotFound,
    Problem,
    ProviderProblem,
    Uncertain,
)
from ..domain.job import FINISHED, JobError, JobState
from ..imaging.picture import painted_inside
from ..logs import logger
from ..protocol.messages import Cancelled, Failed, Image, Paused, Preview, Started, Step
from ..providers.base import ALMOST_DONE_STEPS, Encoded, EncodedPreview, ProviderEvent, Submitted, Submitting
from .announce import Announcer, JobAnswered, JobEvent, JobsChanged, Notice
from .answers import Answers
from .assign import Assigner
from .enlarging import parents
from .forecast import Forecast
from .holds import Holds
from .outcome import after_death
from .paid import UNCERTAIN_ADVICE, PaidWork
from .queue import CANCEL, PAUSE, now
from .running import YIELD, Running
from .saver import Saver
from .snapshots import Snapshots

_STATE_AFTER = {PAUSE: JobState.PAUSED, YIELD: JobState.QUEUED, CANCEL: JobState.CANCELLED}


def _within_mask(running: Running, event: Image) -> Image:
    """An inpainted image with the original's own pixels outside the mask: a decoder never gives them back exactly."""
    if not running.mask:
        return event
    pixels = painted_inside(running.original, event.pixels, running.mask, event.width, event.height)
    return replace(event, pixels=pixels)


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Where everything goes that is made for a job."""

    saver: Saver
    snapshots: Snapshots
    paid: PaidWork


@dataclass(frozen=True, kw_only=True)
class Learning:
    """What finished pictures teach: how long the next ones take, and which need not be drawn again."""

    forecast: Forecast
    answers: Answers


class Driver:
    """What is done with the events of a running job; any number of threads may drive a job each."""

    def __init__(
        self,
        owner: Callable[[], str],
        jobs: Jobs,
        assigner: Assigner,
        keeping: Keeping,
        learning: Learning,
        holds: Holds,
        announce: Announcer,
    ) -> None:
        self._owner = owner
        self._jobs = jobs
        self._assigner = assigner
        self._saver, self._snapshots, self._paid = keeping.saver, keeping.snapshots, keeping.paid
        self._forecast, self._answers = learning.forecast, learning.answers
        self._holds = holds
        self._announce = announce
        self._unwritten: list[tuple[str, JobState, dict[str, Any]]] = []

    def attempt(self, running: Running) -> JobState:
        """Drives the job once; the state it is left in."""
        self._announce.publish(JobsChanged(ids=(running.job.id,)))
        try:
            return self._follow(running)
        except Problem as problem:
            return self._end_badly(running, problem)
        except Exception:  # noqa: BLE001  one of the three borders: the window must live on
            logger("runner").exception("a job failed through a fault of ours", job=running.job.id)
            text = "Something went wrong inside the program."
            return self._end_badly(running, Problem(text, "The log has the details."))

    def write_ends(self) -> None:
        """Writes what a full disk would not take when the jobs ended; nobody else can let go of them."""
        while self._unwritten:
            job, state, changes = self._unwritten[-1]
            with contextlib.suppress(IllegalMove, NotFound):
                self._jobs.move_state(job, state, held_by=self._owner(), **changes)
            self._unwritten.pop()

    def _follow(self, running: Running) -> JobState:
        if running.job.images_done >= running.job.request.count:
            # Its last image was saved by a process that died before it could say so.
            self._jobs.move_state(running.job.id, JobState.RUNNING, held_by=self._owner())
            self._jobs.move_state(running.job.id, JobState.DONE, held_by=self._owner(), finished=now())
            return JobState.DONE
        if not running.provider.capabilities().local and self._kept_answers(running):
            return JobState.DONE
        if running.provider.capabilities().local and self._known_already(running):
            return JobState.DONE
        assignment = self._assigner.assignment(running.job, running.provider)
        running.job, running.notes = assignment.job, assignment.notes
        running.original, running.mask = self._assigner.outside(running.job.request, assignment)
        for event in running.provider.run(assignment):
            running.heard |= not isinstance(event, Failed)
            self._hear(running, event)
            if not isinstance(event, Image | Submitting | Submitted | EncodedPreview | Encoded):
                self._announce.publish(JobEvent(job=running.job.id, event=event))
            if isinstance(event, Failed):
                raise event.problem if event.kind != EngineDied.kind else EngineDied(event.message, event.advice)
            if isinstance(event, Cancelled | Paused):
                return self._left(running)
        for save in running.saves:
            image = save.result()
            if running.job.request.upscale is None:  # an enlarged picture has no latents
                self._snapshots.keep(running.job.id, image.index, image.id)
        self._snapshots.forget(running.job.id)
        return JobState.DONE

    def _known_already(self, running: Running) -> bool:
        """Answers a request that was drawn before with the images it made then."""
        job = running.job
        if job.request.upscale is not None:
            return False
        images = self._answers.find(job, self._assigner.added(job.request))
        if not images or job.request.until or job.images_done:
            return False
        self._jobs.move_state(job.id, JobState.RUNNING, held_by=self._owner(), started=now())
        self._jobs.move_state(job.id, JobState.DONE, held_by=self._owner(), finished=now(), images_done=len(images))
        self._announce.publish(JobAnswered(job=job.id, images=tuple(image.id for image in images)))
        return True

    def _kept_answers(self, running: Running) -> bool:
        """Saves what a dead process had received and not saved; True when that was all there was to do."""
        while (saving := self._paid.waiting_answer(running.job)) is not None:
            if running.job.state is JobState.LEASED:
                self._jobs.move_state(running.job.id, JobState.RUNNING, held_by=self._owner(), started=now())
            saving.result()
            running.job = self._jobs.get(running.job.id)
        return running.job.state is JobState.DONE

    def _hear(self, running: Running, event: ProviderEvent) -> None:
        job = running.job
        if isinstance(event, Started):
            running.index, running.step, running.steps = event.index, event.step, event.steps
            if running.wish:  # it came before the provider knew the job
                running.pass_wish_on()
            if event.index == job.images_done:
                self._jobs.move_state(
                    job.id,
                    JobState.RUNNING,
                    held_by=self._owner(),
                    started=now(),
                    error=None,
                    step=event.step,
                    steps=event.steps,
                    image_index=event.index,
                )
            self._announce.publish(JobsChanged(ids=(job.id,)))
        elif isinstance(event, Step):
            self._stepped(running, event)
        elif isinstance(event, Preview) and job.request.until:
            running.preview = event
        elif isinstance(event, Image):
            self._keep(running, _within_mask(running, event))
        elif isinstance(event, Encoded):
            running.saves.append(self._paid.receive(job, event, running.notes))
        elif isinstance(event, Submitting | Submitted | EncodedPreview):
            preview = self._paid.hear(job, event)
            if preview is not None:
                self._announce.publish(JobEvent(job=job.id, event=preview))

    def _keep(self, running: Running, event: Image) -> None:
        job = running.job
        self._announce.publish(JobEvent(job=job.id, event=event))
        for save in running.saves:
            if save.done() and save.exception() is not None:  # the rest could not be kept either
                running.provider.cancel(job.id)
                save.result()
        running.saves.append(self._saver.save_soon(job, event, parents(job), after=running.saves[-1:]))
        if job.request.upscale is None:
            self._answers.learn(job.request, event.model_hash)
        self._forecast.learn(job.request, event.seconds)

    def _stepped(self, running: Running, event: Step) -> None:
        running.step = event.step
        last = event.index == running.job.request.count - 1
        if last and event.steps - event.step < ALMOST_DONE_STEPS and not running.almost_done:
            running.almost_done = True
            running.on_almost_done()

    def _left(self, running: Running) -> JobState:
        """The provider left the job because somebody wished so."""
        for save in running.saves:
            save.result()
        state = _STATE_AFTER.get(running.wish, JobState.CANCELLED)
        if not running.wish and running.job.request.until:
            state = JobState.PAUSED
        if state is JobState.PAUSED and not self._paid.is_settled(self._jobs.get(running.job.id)):
            raise Uncertain("The provider had not answered when the job was left.", UNCERTAIN_ADVICE)
        if state is JobState.PAUSED and running.preview is not None:
            self._saver.save_preview(running.preview, self._snapshots.preview_place(running.job.id))
        if state is JobState.CANCELLED:
            self._snapshots.forget(running.job.id)
            self._paid.cancelled(running.job)
        # Making room is nobody's fault: it does not count as an attempt.
        attempts = running.job.attempts - (state is JobState.QUEUED)
        self._jobs.move_state(running.job.id, state, step=running.step, attempts=attempts, **self._end(state))
        return state

    def _end_badly(self, running: Running, problem: Problem) -> JobState:
        job = running.job
        for save in running.saves:  # whoever goes on with the job must know which of its images are there
            save.exception()
        running.saves.clear()
        if isinstance(problem, ProviderProblem):
            problem = self._paid.failed(job, problem)
        error: JobError | None = JobError(kind=problem.kind, message=problem.message, advice=problem.advice)
        state = JobState.FAILED
        if isinstance(problem, EngineDied):
            state, error = after_death(job, running.wish, problem, running.closing, running.innocent)
        elif isinstance(problem, Uncertain):
            state = JobState.UNCERTAIN
        elif self._holds_all(running, problem):
            title = running.provider.capabilities().title
            self._holds.hold(running.provider.name, title, problem)
            state = JobState.FAILED if running.alone else JobState.QUEUED
        elif isinstance(problem, DiskProblem):
            self._announce.publish(Notice(level="error", text=problem.message, advice=problem.advice))
        # What was no fault of the job does not count as an attempt.
        blameless = state is JobState.QUEUED and (running.innocent or not isinstance(problem, EngineDied))
        changes: dict[str, Any] = {"error": error, "attempts": job.attempts - blameless, **self._end(state)}
        try:
            self._jobs.move_state(job.id, state, held_by=self._owner(), **changes)
        except Problem as second:
            if isinstance(second, DiskProblem | DatabaseProblem):
                self._unwritten.append((job.id, state, changes))
            # Else the job is no longer ours.
            logger("runner").warning("a job's end could not be written", job=job.id, reason=second.message)
        return state

    def _holds_all(self, running: Running, problem: Problem) -> bool:
        """Whether the next job would meet the same: a provider's trouble, or no space for what is drawn here."""
        if isinstance(problem, DiskProblem):
            return running.provider.capabilities().local and not running.alone
        return isinstance(problem, ProviderProblem) and problem.holds

    def _end(self, state: JobState) -> dict[str, str]:
        return {"finished": now()} if state in FINISHED else {}
