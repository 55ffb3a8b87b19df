"""The one check command: format, lint, types, import rule, tests. `python -m tests [pytest options]`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent


def checks(pytest_options: list[str]) -> list[tuple[str, list[str]]]:
    """Each check by name, the quick ones first."""
    return [
        ("format", [str(TOOLS / "ruff"), "format", "--check", "."]),
        ("lint", [str(TOOLS / "ruff"), "check", "."]),
        ("types", [str(TOOLS / "mypy")]),
        ("import rule", [str(TOOLS / "lint-imports"), "--config", "pyproject.toml"]),
        ("tests", [sys.executable, "-m", "pytest", *pytest_options]),
    ]


def main() -> int:
    """Runs every check, also after one failed; 1 when any did."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
    failed = []
    for name, command in checks(sys.argv[1:]):
        print(f"── {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, env=environment).returncode:
            failed.append(name)
    print("all checks passed" if not failed else "failed: " + ", ".join(failed), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
