"""The command line: one function for each verb, the same queue, engine and library as the window."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ..domain.errors import Problem
from .arguments import parser


def run(arguments: Sequence[str]) -> int:
    """Runs one call and returns its exit code; what went wrong is one line on stderr, never a traceback."""
    try:
        options = parser().parse_args(list(arguments))
        code: int = options.verb(options)
        sys.stdout.flush()
        return code
    except Problem as problem:
        print(f"imagegen-desktop: {_one_line(problem)}", file=sys.stderr)  # noqa: T201
        return problem.exit_code
    except BrokenPipeError:
        # Whoever read our output has enough of it (`… | head`); what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _one_line(problem: Problem) -> str:
    text = f"{problem.message} {problem.advice}".strip()
    return " ".join(text.split())
