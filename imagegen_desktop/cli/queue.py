"""`queue …`: the persistent queue, without a window."""

from __future__ import annotations

import argparse
import threading
from dataclasses import replace
from typing import Any

from ..domain.errors import BadInput, ProviderProblem
from ..domain.job import FINISHED, WAITING, Job, JobState
from ..domain.request import validate
from ..services.announce import Announcement, EngineChanged, JobsChanged
from ..services.assemble import Parts
from . import added, output, session
from .generate import EXIT_INTERRUPTED, Reporter, given, request_from, with_pictures

_COLUMNS = ("id", "state", "position", "step", "steps", "prompt", "error")


def add(options: argparse.Namespace) -> int:
    """Queues a job and prints its ID."""
    request = validate(request_from(options))
    with session.parts() as parts:
        _print_job(parts, parts.queue.add(with_pictures(parts, request, options)), options.json)
    return 0


def list_jobs(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        rows = _rows(parts.queue.jobs())
    if not options.json:
        for row in rows:
            row |= {"prompt": row["request"]["prompt"], "error": (row["error"] or {}).get("message", "")}
    output.print_listing(rows, _COLUMNS, options.json)
    return 0


def run(options: argparse.Namespace) -> int:
    """Draws what waits, until nothing does or until interrupted."""
    with session.parts(engine=True) as parts:
        ended = _Ended(parts)
        with Reporter(parts, options.json) as reporter, session.pausing_when_interrupted(parts) as interrupted:
            ended.reporter = reporter
            unsubscribe = parts.announce.subscribe(ended.heard)
            _Crew(parts, options.until_empty, interrupted).work()
            unsubscribe()
        if interrupted.is_set():
            return EXIT_INTERRUPTED
        return 1 if ended.failed or _say_who_waits(parts) else 0


def cancel(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        parts.queue.cancel([options.id])
        _print_job(parts, parts.queue.get(options.id), options.json)
    return 0


def pause(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        if options.id is None:
            parts.queue.pause_all()
            return _print_paused(parts, options.json)
        parts.queue.pause(options.id)
        _print_job(parts, parts.queue.get(options.id), options.json)
    return 0


def resume(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        if options.id is None:
            parts.queue.resume_all()
            return _print_paused(parts, options.json)
        parts.queue.resume(options.id)
        _print_job(parts, parts.queue.get(options.id), options.json)
    return 0


def move(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        parts.queue_edits.move(options.id, options.to)
        _print_job(parts, parts.queue.get(options.id), options.json)
    return 0


def edit(options: argparse.Namespace) -> int:
    changes = given(options)
    if not changes and options.image is None and not added.pictured(options):
        raise BadInput("queue edit", "no option", "at least one setting to change")
    with session.parts() as parts:
        job = parts.queue.get(options.id)
        request = with_pictures(parts, replace(job.request, **changes), options)
        parts.queue_edits.edit(
            [options.id],
            **{name: getattr(request, name) for name in (*changes, *added.PICTURED, "image", "mask", "strength")},
        )
        _print_job(parts, parts.queue.get(options.id), options.json)
    return 0


def retry(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        _print_job(parts, parts.queue.retry(options.id), options.json)
    return 0


def clear(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        removed = parts.queue_edits.clear_finished()
    if options.json:
        output.print_json({"removed": removed})
    else:
        output.say(f"{removed} finished jobs taken off the list")
    return 0


class _Crew:
    """One thread for each engine, so that all of them draw; the first is the caller's own."""

    def __init__(self, parts: Parts, until_empty: bool, interrupted: threading.Event) -> None:
        self._parts = parts
        self._until_empty = until_empty
        self._interrupted = interrupted
        self._hired: list[threading.Thread] = []
        self._hiring = threading.Lock()

    def work(self) -> None:
        """Draws until nothing waits, or until interrupted."""
        unsubscribe = self._parts.announce.subscribe(self._heard)
        self._grow()
        self._draw()
        unsubscribe()
        for thread in self._hired:
            thread.join()

    def _draw(self) -> None:
        while not self._interrupted.is_set():
            if not self._parts.runner.work_once():
                if self._until_empty and _nothing_waits(self._parts):
                    break
                self._parts.runner.wait_for_work(0.5)

    def _heard(self, announcement: Announcement) -> None:
        if isinstance(announcement, EngineChanged):  # it may have found more GPUs
            self._grow()

    def _grow(self) -> None:
        with self._hiring:
            while len(self._hired) < self._parts.engines.places - 1:
                self._hired.append(threading.Thread(target=self._draw, name=f"drawing-{len(self._hired) + 1}"))
                self._hired[-1].start()


class _Ended:
    """Reports each job of this run once it has ended, and remembers whether one failed."""

    def __init__(self, parts: Parts) -> None:
        self.reporter: Reporter | None = None
        self.failed = False
        self._parts = parts
        self._seen: set[str] = set()

    def heard(self, announcement: Announcement) -> None:
        if not isinstance(announcement, JobsChanged):
            return
        for job in [self._parts.queue.get(name) for name in announcement.ids if name not in self._seen]:
            if job.state in FINISHED or job.state in (JobState.PARKED, JobState.PAUSED, JobState.UNCERTAIN):
                self._seen.add(job.id)
                self.failed |= job.state in (JobState.FAILED, JobState.PARKED, JobState.UNCERTAIN)
                if self.reporter is not None:
                    self.reporter.finish(job)


def _nothing_waits(parts: Parts) -> bool:
    """Nothing that could go on: a provider that only asks for a little patience is waited for."""
    waiting = [job for job in parts.queue.jobs(finished=0) if job.state is JobState.QUEUED]
    held = [parts.holds.reason(job.request.provider) for job in waiting]
    patient = [isinstance(problem, ProviderProblem) and bool(problem.retry_after) for problem in held]
    return parts.queue.paused or (None not in held and not any(patient))


def _say_who_waits(parts: Parts) -> bool:
    """One line for each provider whose jobs had to be left waiting; whether there are any."""
    waiting = {job.request.provider for job in parts.queue.jobs(finished=0) if job.state is JobState.QUEUED}
    problems = [problem for problem in map(parts.holds.reason, sorted(waiting)) if problem is not None]
    for problem in problems:
        output.warn(f"imagegen-desktop: {problem.message} {problem.advice} Its jobs stay in the queue.")
    return bool(problems)


def _rows(jobs: list[Job]) -> list[dict[str, Any]]:
    """Rows for printing; waiting jobs are numbered from 0, as `queue move --to` counts them."""
    places = {job.id: place for place, job in enumerate(job for job in jobs if job.state in WAITING)}
    return [output.job_row(job, places.get(job.id)) for job in jobs]


def _print_job(parts: Parts, job: Job, as_json: bool) -> None:
    if as_json:
        output.print_json(next(row for row in _rows(parts.queue.jobs()) if row["id"] == job.id))
    else:
        output.say(job.id)


def _print_paused(parts: Parts, as_json: bool) -> int:
    if as_json:
        output.print_json({"paused": parts.queue.paused})
    else:
        output.say("the queue is paused" if parts.queue.paused else "the queue goes on")
    return 0
