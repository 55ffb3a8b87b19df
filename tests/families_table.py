"""Prints which family does what from which format, each cell out of the lists the tests run through.

`python -m tests.families_table`; the README holds what it prints.
"""

from __future__ import annotations

from imagegen_desktop.domain.families import FAMILIES, OTHER
from tests.engine import test_families, test_samplers, test_single_files

HEAD = "| family | folder | one `.safetensors` file | GGUF |"
_RULE = "| --- | --- | --- | --- |"


def table() -> str:
    folder = {(family, task) for family, _, task in test_families.TASK_CASES}
    folder |= {(family, task) for family in ("sd1",) for task in test_samplers.TASKS}
    folder |= {(family, "text") for family in (*test_samplers.TEXT_KINDS, OTHER)}
    columns = (folder, {*test_single_files.SAFETENSORS_CASES}, {*test_single_files.GGUF_CASES})
    rows = [
        f"| {family.title} | {' | '.join(_cell(cases, name) for cases in columns)} |"
        for name, family in FAMILIES.items()
    ]
    return "\n".join((HEAD, _RULE, *rows))


def _cell(cases: set[tuple[str, str]], family: str) -> str:
    return ", ".join(task for task in ("text", "image", "inpaint") if (family, task) in cases) or "–"


if __name__ == "__main__":
    print(table())
