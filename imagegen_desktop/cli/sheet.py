"""`sheet`: many seeds for a few steps, of which only the chosen ones are finished."""

from __future__ import annotations

import argparse
import secrets
from dataclasses import replace

from ..domain.errors import BadInput, IllegalMove
from ..domain.job import JobState
from . import session
from .generate import EXIT_INTERRUPTED, Reporter, draw, exit_code, request_from, with_pictures

_FINISH = "finish"


def sheet(options: argparse.Namespace) -> int:
    """Begins a sheet, or finishes jobs of one (`sheet finish ID…`)."""
    if options.prompt == _FINISH and options.ids:
        return _finish(options)
    if options.ids:
        raise BadInput("sheet", " ".join(options.ids), "one PROMPT in quotes, or `sheet finish ID…`")
    for name in ("seeds", "until"):
        if getattr(options, name) is None:
            raise BadInput(name, None, f"a sheet needs --{name}")
    return _begin(options)


def _begin(options: argparse.Namespace) -> int:
    request = request_from(options)
    with session.parts() as parts:
        request = parts.compose.complete(with_pictures(parts, request, options))
        if request.steps is not None and options.until >= request.steps:
            raise BadInput("until", options.until, f"fewer than the {request.steps} steps of the whole picture")
        first = secrets.randbits(32) if options.seed is None else options.seed
        seeds = [replace(request, seed=first).seed_of(index) for index in range(options.seeds)]
        wishes = [replace(request, seed=seed, count=1, until=options.until) for seed in seeds]
        jobs = parts.queue.add_many(wishes, owner=parts.runner.owner)
        with Reporter(parts, options.json) as reporter, session.pausing_when_interrupted(parts) as interrupted:
            for job in jobs:
                ended = parts.runner.run(job)
                reporter.finish(ended)
                if interrupted.is_set():
                    return EXIT_INTERRUPTED
                if ended.state is not JobState.PAUSED:
                    return exit_code(ended, None)
                reporter.say_id(ended)
    return 0


def _finish(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        for name in options.ids:
            job = parts.queue.get(name)
            if job.state is not JobState.PAUSED:
                raise IllegalMove(f"Job {name} is {job.state.value}; only paused ones can be finished.")
        for name in options.ids:
            parts.queue.go_on_to_the_end(name)
            taken = parts.runner.take(name)
            if taken is not None:
                code = draw(parts, taken, options.json)
                if code:
                    return code
    return 0
