"""The roof: no argument opens the window, `--engine` is the child process, anything else is the command line.

Nothing heavy is imported before it is known which.
"""

from __future__ import annotations

import sys


def main() -> int:
    arguments = sys.argv[1:]
    if arguments == ["--engine"]:
        from .engine.__main__ import main as engine

        return engine()
    if not arguments:
        from .ui.application import run

        return run(arguments)
    from .cli import run as command_line

    return command_line(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
