"""How answers are printed: JSON, tables, and a progress bar where there is a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..domain.durations import duration
from ..domain.image import GeneratedImage
from ..domain.job import Job, JobError

_BAR = 30


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """A line on stderr that is no error: what was changed, who wrote something."""
    sys.stderr.write(f"{text}\n")


def print_json(value: object) -> None:
    say(json.dumps(value, ensure_ascii=False))


def print_listing(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], as_json: bool) -> None:
    """One JSON array, or a table of the named columns."""
    if as_json:
        print_json(list(rows))
        return
    names = list(columns)
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        say("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def job_row(job: Job, position: int | None) -> dict[str, Any]:
    return {
        "id": job.id,
        "state": job.state.value,
        "priority": job.priority,
        "position": position,
        "step": job.step,
        "steps": job.steps,
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "error": error_dict(job.error),
        "request": job.request.to_dict(),
    }


def error_dict(error: JobError | None) -> dict[str, str] | None:
    return {"kind": error.kind, "message": error.message, "advice": error.advice} if error else None


def image_row(image: GeneratedImage, file: Path) -> dict[str, Any]:
    request = image.request
    return {
        "id": image.id,
        "path": str(file),
        "created": image.created,
        "width": image.width,
        "height": image.height,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "style": request.style,
        "model": request.model,
        "provider": request.provider,
        "seed": request.seed,
        "steps": request.steps,
        "guidance": request.guidance,
        "sampler": request.sampler,
        "rating": image.rating,
        "tags": list(image.tags),
        "parents": list(image.parents),
        "job": image.job,
    }


class ProgressBar:
    """One line on stderr, redrawn in place; silent when stderr is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def show(self, label: str, done: int, total: int, seconds_left: float | None = None) -> None:
        if not self._shown:
            return
        filled = _BAR * done // total if total else 0
        bar = "█" * filled + "░" * (_BAR - filled)
        left = f"  {duration(seconds_left)} left" if seconds_left is not None else ""
        sys.stderr.write(f"\r\033[K{label}  {bar} {done}/{total}{left}")
        sys.stderr.flush()

    def phase(self, text: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r\033[K{text}…")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _cell(value: object, limit: int = 60) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
