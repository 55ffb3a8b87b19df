"""StylePreset: words and numbers an artist adds to a prompt by name."""

from __future__ import annotations

from dataclasses import dataclass

from .checks import check_number, check_whole
from .errors import BadInput

NO_STYLE = "none"


@dataclass(frozen=True, kw_only=True)
class StylePreset:
    """`prompt` is a template with `{prompt}` in it; None for guidance or steps leaves the model's own."""

    name: str
    title: str = ""
    prompt: str = "{prompt}"
    negative_prompt: str = ""
    guidance: float | None = None
    steps: int | None = None
    picture: str = ""
    built_in: bool = False


def validate_style(style: StylePreset) -> StylePreset:
    if not style.name.strip() or len(style.name) > 60 or any(ord(c) < 32 for c in style.name):
        raise BadInput("style name", style.name, "1 to 60 characters on one line")
    if "{prompt}" not in style.prompt:
        raise BadInput("style prompt", style.prompt, "a text that contains {prompt}")
    if style.guidance is not None:
        check_number("guidance", style.guidance, 0.0, 100.0)
    if style.steps is not None:
        check_whole("steps", style.steps, 1, 1000)
    return style
