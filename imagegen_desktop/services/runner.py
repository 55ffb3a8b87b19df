"""The runner: claims jobs and drives each to its end, whatever happens to it on the way."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..database.connection import Library
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
from ..domain.image import GeneratedImage
from ..domain.job import ACTIVE, FINISHED, Job, JobError, JobState
from ..logs import logger
from ..protocol.messages import Cancelled, Failed, Image, Paused, Preview, Started, Step
from ..providers.base import Encoded, EncodedPreview, Provider, ProviderEvent, Submitted, Submitting
from .announce import Announcer, JobAnswered, JobEvent, JobsChanged, Notice
from .answers import Answers
from .assign import Assigner
from .forecast import Forecast
from .holds import Holds
from .model_library import ModelLibrary
from .neighbours import LOOK_SECONDS, Neighbours
from .outcome import ENDED_TWICE, MAX_ATTEMPTS, after_death
from .owners import owner_is_dead, process_owner
from .paid import UNCERTAIN_ADVICE, PaidWork
from .queue import CANCEL, LEASE_SECONDS, PAUSE, Queue, now
from .saver import Saver
from .snapshots import Snapshots

#: The wish of a more urgent job: leave at the next step, and go on when it is done.
YIELD = "yield"
_ALMOST_DONE_STEPS = 2
_STATE_AFTER = {PAUSE: JobState.PAUSED, YIELD: JobState.QUEUED, CANCEL: JobState.CANCELLED}


@dataclass
class Running:
    """A job under way in this process. `wish` is what the artist asked of it meanwhile; `alone` when somebody
    waits for just this job; `notes` say what the provider's model made necessary. `heard`: its provider began with
    it; `behind`: another job was there before it."""

    job: Job
    provider: Provider
    wish: str = ""
    alone: bool = False
    notes: tuple[str, ...] = ()
    almost_done: bool = False
    heard: bool = False
    behind: bool = False
    index: int = 0
    step: int = 0
    steps: int = 0
    preview: Preview | None = None
    saves: list[Future[GeneratedImage]] = field(default_factory=list)

    @property
    def innocent(self) -> bool:
        """Whether an engine that died now did not die of this job: it had not begun with it."""
        return self.behind and not self.heard


class Runner:
    """Any number of threads may call `work_once`; each drives one job at a time.

    A local job almost at its end lets one more begin, so that the engine has it before it asks.
    """

    def __init__(
        self,
        library: Library,
        jobs: Jobs,
        queue: Queue,
        providers: Mapping[str, Provider],
        assigner: Assigner,
        saver: Saver,
        snapshots: Snapshots,
        forecast: Forecast,
        announce: Announcer,
        paid: PaidWork,
        holds: Holds,
        models: ModelLibrary,
        answers: Answers,
    ) -> None:
        self._jobs = jobs
        self._queue = queue
        self._providers = providers
        self._assigner = assigner
        self._saver = saver
        self._snapshots = snapshots
        self._forecast = forecast
        self._announce = announce
        self._paid = paid
        self._holds = holds
        self._models = models
        self._answers = answers
        self._turn = threading.Condition()
        self._active: dict[str, Running] = {}
        self._unwritten: list[tuple[str, JobState, dict[str, Any]]] = []
        self._stopping = False
        self._neighbours = Neighbours(library, announce)
        self._pulse: threading.Thread | None = None

    @functools.cached_property
    def owner(self) -> str:
        """The name under which jobs are leased to this process."""
        return process_owner()

    # ---- work ---------------------------------------------------------------------------------------------

    def work_once(self, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """Claims the next job and drives it to its end; False when nothing waits or it is not our turn."""
        with self._turn:
            job = None if self._stopping or should_stop() or self._queue.paused else self._claim()
            if job is None:
                return False
            running = self._begin(job)
        self._drive(running)
        return True

    def wait_for_work(self, timeout: float) -> bool:
        """Waits until a job was added or a place became free; also notices what other processes changed."""
        with self._turn:
            woken = self._turn.wait(timeout)
        self._neighbours.look(list(self._active), self.interrupt)
        return woken

    def run(self, job: Job) -> Job:
        """Drives a job that was leased to us when it was added; its state at the end."""
        with self._turn:
            running = self._begin(job)
            running.alone = True
        self._drive(running)
        return self._queue.get(job.id)

    def take(self, job: str) -> Job | None:
        """Leases a waiting job to us, out of turn; None when it does not wait."""
        provider = self._queue.get(job).request.provider
        return self._jobs.claim(self.owner, datetime.now(UTC), LEASE_SECONDS, [provider], only=job)

    def preview_of(self, job: str) -> Path | None:
        """The look of a job that waits half-done, when there is one."""
        place = self._snapshots.preview_place(job)
        return place if place.is_file() else None

    def wake(self) -> None:
        """Says that a job may wait now; a local job that is less urgent makes room at its next step."""
        self._make_room()
        with self._turn:
            self._turn.notify_all()

    def _make_room(self) -> None:
        local = [running for running in list(self._active.values()) if running.provider.capabilities().local]
        if not local or self._queue.paused:
            return
        urgency = self._jobs.highest_waiting_priority([running.provider.name for running in local])
        for running in local:
            if urgency is not None and urgency > running.job.priority and not running.wish and not running.alone:
                self.interrupt(running.job.id, YIELD)

    def interrupt(self, job: str, wish: str) -> bool:
        """Passes a wish on to a job that runs here; False when it does not."""
        running = self._active.get(job)
        if running is None:
            return False
        running.wish = wish
        (running.provider.cancel if wish == CANCEL else running.provider.pause)(job)
        return True

    def stop(self) -> int:
        """Pauses every running job resumably and lets nothing further begin; returns how many there were."""
        with self._turn:
            self._stopping = True
            active = list(self._active.values())
            self._turn.notify_all()
        for running in active:
            self.interrupt(running.job.id, PAUSE)
        return len(active)

    def wait_until_idle(self, timeout: float | None = None) -> bool:
        """Waits until no job runs here; False when the time was too short."""
        with self._turn:
            return self._turn.wait_for(lambda: not self._active, timeout)

    def recover(self) -> list[Job]:
        """At start: what a dead process left leased or running waits again; returns those jobs."""
        owners = {job.owner for job in self._jobs.list(ACTIVE)}
        paid = [name for name, provider in self._providers.items() if provider.capabilities().paid]
        dead = [owner for owner in owners if owner_is_dead(owner)]
        recovered = list(self._jobs.recover(datetime.now(UTC), dead, at_most_once=paid))
        for job in recovered:
            if job.state is JobState.QUEUED and job.attempts >= MAX_ATTEMPTS:
                self._jobs.move_state(job.id, JobState.PARKED, error=ENDED_TWICE)
        # Where nothing is out there unnamed the provider can be asked for what it made, or nothing had left.
        settled = [job.id for job in self._jobs.list([JobState.UNCERTAIN]) if self._paid.is_settled(job)]
        recovered += [self._jobs.move_state(job, JobState.QUEUED, error=None) for job in settled]
        if recovered:
            self._announce.publish(JobsChanged(ids=tuple(job.id for job in recovered)))
        return recovered

    # ---- one job ------------------------------------------------------------------------------------------

    def _claim(self) -> Job | None:
        free = [name for name in self._providers if self._has_place(name) and self._holds.reason(name) is None]
        try:
            self._write_ends()
            return self._jobs.claim(self.owner, datetime.now(UTC), LEASE_SECONDS, free) if free else None
        except DiskProblem as problem:  # nothing was begun, and nothing can be until there is space
            for name in free:
                self._holds.hold(name, self._providers[name].capabilities().title, problem)
            return None

    def _write_ends(self) -> None:
        """Writes what a full disk would not take when the jobs ended; nobody else can let go of them."""
        while self._unwritten:
            job, state, changes = self._unwritten[-1]
            with contextlib.suppress(IllegalMove, NotFound):
                self._jobs.move_state(job, state, held_by=self.owner, **changes)
            self._unwritten.pop()

    def _has_place(self, provider: str) -> bool:
        mine = [running for running in self._active.values() if running.provider.name == provider]
        places = self._providers[provider].capabilities().places
        return len(mine) < places or (len(mine) == 1 and mine[0].almost_done)

    def _begin(self, job: Job) -> Running:
        running = Running(job=job, provider=self._providers[job.request.provider])
        self._active[job.id] = running
        if self._pulse is None or not self._pulse.is_alive():
            self._pulse = threading.Thread(target=self._renew_leases, name="runner-leases", daemon=True)
            self._pulse.start()
        return running

    def _drive(self, running: Running) -> None:
        job = running.job
        try:
            while (
                self._attempt(running) is JobState.QUEUED
                and not running.wish
                and not running.innocent
                and self._holds.reason(running.provider.name) is None
            ):
                # The engine died under it: once more at once, unless another process was quicker.
                again = self._jobs.claim(
                    self.owner, datetime.now(UTC), LEASE_SECONDS, [running.provider.name], only=job.id
                )
                if again is None:
                    break
                running.job = again
        finally:
            with self._turn:
                self._active.pop(job.id, None)
                self._turn.notify_all()
            self._announce.publish(JobsChanged(ids=(job.id,)))

    def _attempt(self, running: Running) -> JobState:
        """Drives the job once; the state it is left in."""
        with self._turn:
            others = [other for other in self._active.values() if other is not running]
            running.behind = any(other.provider is running.provider for other in others)
            running.heard = running.almost_done = False
        self._announce.publish(JobsChanged(ids=(running.job.id,)))
        try:
            return self._follow(running)
        except Problem as problem:
            return self._end_badly(running, problem)
        except Exception:  # noqa: BLE001  one of the three borders: the window must live on
            logger("runner").exception("a job failed through a fault of ours", job=running.job.id)
            text = "Something went wrong inside the program."
            return self._end_badly(running, Problem(text, "The log has the details."))

    def _follow(self, running: Running) -> JobState:
        if running.job.images_done >= running.job.request.count:
            # Its last image was saved by a process that died before it could say so.
            self._jobs.move_state(running.job.id, JobState.RUNNING, held_by=self.owner)
            self._jobs.move_state(running.job.id, JobState.DONE, held_by=self.owner, finished=now())
            return JobState.DONE
        if not running.provider.capabilities().local and self._kept_answers(running):
            return JobState.DONE
        if running.provider.capabilities().local and self._known_already(running):
            return JobState.DONE
        assignment = self._assigner.assignment(running.job, running.provider)
        running.job, running.notes = assignment.job, assignment.notes
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
            save.result()
        self._snapshots.forget(running.job.id)
        return JobState.DONE

    def _known_already(self, running: Running) -> bool:
        """Answers a request that was drawn before with the images it made then."""
        job = running.job
        images = self._answers.find(job, self._models.get(job.request.model or ""))
        if not images or job.request.until or job.images_done:
            return False
        self._jobs.move_state(job.id, JobState.RUNNING, held_by=self.owner, started=now())
        self._jobs.move_state(job.id, JobState.DONE, held_by=self.owner, finished=now(), images_done=len(images))
        self._announce.publish(JobAnswered(job=job.id, images=tuple(image.id for image in images)))
        return True

    def _kept_answers(self, running: Running) -> bool:
        """Saves what a dead process had received and not saved; True when that was all there was to do."""
        while (saving := self._paid.waiting_answer(running.job)) is not None:
            if running.job.state is JobState.LEASED:
                self._jobs.move_state(running.job.id, JobState.RUNNING, held_by=self.owner, started=now())
            saving.result()
            running.job = self._queue.get(running.job.id)
        return running.job.state is JobState.DONE

    def _hear(self, running: Running, event: ProviderEvent) -> None:
        job = running.job
        if isinstance(event, Started):
            running.index, running.step, running.steps = event.index, event.step, event.steps
            if running.wish:  # it came before the provider knew the job
                self.interrupt(job.id, running.wish)
            if event.index == job.images_done:
                self._jobs.move_state(
                    job.id,
                    JobState.RUNNING,
                    held_by=self.owner,
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
            self._keep(running, event)
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
        parents = (job.request.branch.image,) if job.request.branch else ()
        running.saves.append(self._saver.save_soon(job, event, parents, after=running.saves[-1:]))
        self._answers.learn(self._models.get(job.request.model or ""), event.model_hash)
        self._forecast.learn(job.request, event.seconds)

    def _stepped(self, running: Running, event: Step) -> None:
        running.step = event.step
        last = event.index == running.job.request.count - 1
        if last and event.steps - event.step < _ALMOST_DONE_STEPS and not running.almost_done:
            with self._turn:
                running.almost_done = True
                self._turn.notify_all()

    def _left(self, running: Running) -> JobState:
        """The provider left the job because somebody wished so."""
        for save in running.saves:
            save.result()
        state = _STATE_AFTER.get(running.wish, JobState.CANCELLED)
        if not running.wish and running.job.request.until:
            state = JobState.PAUSED
        if state is JobState.PAUSED and not self._paid.is_settled(self._queue.get(running.job.id)):
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
            state, error = after_death(job, running.wish, problem, self._stopping, running.innocent)
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
            self._jobs.move_state(job.id, state, held_by=self.owner, **changes)
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

    # ---- other processes ----------------------------------------------------------------------------------

    def _renew_leases(self) -> None:
        """While jobs run here: keeps them ours, and notes how far they are, about once a second."""
        while self._active:
            try:
                self._renew_each()
                self._neighbours.look(list(self._active), self.interrupt)
            except Problem as problem:  # a full disk now may have space in a second, and the lease lasts longer
                logger("runner").warning("a lease could not be renewed", reason=problem.message)
            with self._turn:
                self._turn.wait_for(lambda: not self._active, timeout=LOOK_SECONDS)

    def _renew_each(self) -> None:
        for job, running in list(self._active.items()):
            ours = self._jobs.heartbeat(
                job,
                self.owner,
                step=running.step,
                steps=running.steps,
                image_index=running.index,
                now=datetime.now(UTC),
            )
            if not ours and job in self._active and self._queue.get(job).owner not in ("", self.owner):
                self.interrupt(job, CANCEL)
