"""`sheet`: many seeds for a few steps, of which only the chosen ones are finished."""

from __future__ import annotations

import argparse

from ..domain.errors import BadInput
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
        request = with_pictures(parts, request, options)
        jobs = parts.sheets.begin(request, options.seeds, options.until, owner=parts.runner.owner)
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
        parts.sheets.check_finishable(options.ids)
        for name in options.ids:
            parts.queue.go_on_to_the_end(name)
            taken = parts.runner.take(name)
            if taken is not None:
                code = draw(parts, taken, options.json)
                if code:
                    return code
    return 0
