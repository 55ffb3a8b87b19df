"""One measured figure of the evaluation, and the table of all of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured value with its target, and out of how many pictures it came."""

    name: str
    value: float
    target: float | None = None
    of: int = 0
    unit: str = "%"
    lower_is_better: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        if self.lower_is_better:
            return self.value <= self.target
        return self.value >= self.target


def percentage(name: str, right: Sequence[bool], target: float | None = None) -> Figure:
    """The share of right answers as a figure."""
    share = 100 * sum(right) / len(right) if right else 0.0
    return Figure(name=name, value=round(share, 1), target=target, of=len(right))


def write_table(figures: Sequence[Figure], folder: Path) -> None:
    """Write figures.json and figures.md."""
    (folder / "figures.json").write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")
    (folder / "figures.md").write_text(markdown_table(figures))


def markdown_table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    marks = {True: "yes", False: "**no**", None: ""}
    lines = ["| figure | value | target | of | reached |", "| --- | --- | --- | --- | --- |"]
    for f in figures:
        bound = "≤" if f.lower_is_better else "≥"
        target = "" if f.target is None else f"{bound} {f.target:g} {f.unit}"
        lines.append(f"| {f.name} | {f.value:g} {f.unit} | {target} | {f.of or ''} | {marks[f.reached]} |")
    return "\n".join(lines) + "\n"
