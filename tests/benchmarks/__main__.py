"""Speed as ratios within one run: ours against the bare libraries, side by side on the same machine.

    python -m tests.benchmarks [--rounds 7] [--json FILE]

Each round measures A and B in turn; the median of the paired ratios counts, so a drifting machine does not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import boundary, engine, window
from tests.benchmarks.measured import Measured, busy_warning
from tests.benchmarks.model import build


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--json", type=Path)
    options.add_argument("--only", default="", help="measure only what has this word in its name")
    chosen = options.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "IMAGEGEN_DESKTOP_THREADS": "1"}
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an artist's Python compiles our modules once, not at every start
    print(f"{platform.machine()}, {os.cpu_count()} processors; {busy_warning()}")
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        model = build(Path(folder) / "bench")
        for measure in (*engine.MEASURES, *boundary.MEASURES, *window.MEASURES):
            if chosen.only in measure.__name__:
                found += _measured(measure, model, chosen.rounds)
    if chosen.json:
        chosen.json.write_text(json.dumps([one.as_dict() for one in found], indent=2))
    return 0 if all(one.holds for one in found) else 1


def _measured(measure: Callable[[Path, int], list[Measured]], model: Path, rounds: int) -> list[Measured]:
    found = measure(model, rounds)
    for one in found:
        print(one, flush=True)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
