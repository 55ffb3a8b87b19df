"""OpenAI's image models as of 2026-11: what each can do, and which successor a retired one has."""

from __future__ import annotations

from ..domain.cloud_model import CloudModel, SizeRule
from ..domain.families import IMAGE, INPAINT, TEXT

_SIZES = SizeRule(multiple=16, least_pixels=655_360, most_pixels=8_294_400, most_side=3840, most_ratio=3.0)
_TASKS = (TEXT, IMAGE, INPAINT)
_QUALITIES = ("auto", "low", "medium", "high")
_MORE_QUALITIES = (*_QUALITIES, "xhigh", "max")
_BACKGROUNDS = ("auto", "opaque", "transparent")


def _model(name: str, title: str, summary: str, qualities: tuple[str, ...]) -> CloudModel:
    return CloudModel(
        name=name,
        title=title,
        summary=summary,
        tasks=_TASKS,
        sizes=_SIZES,
        qualities=qualities,
        backgrounds=_BACKGROUNDS,
        previews=True,
    )


MODELS: tuple[CloudModel, ...] = (
    _model("gpt-image-2.6-flare", "GPT Image 2.6 Flare", "The newest, fast.", _MORE_QUALITIES),
    _model("gpt-image-2.6-sunburst", "GPT Image 2.6 Sunburst", "The newest, for detail.", _MORE_QUALITIES),
    _model("gpt-image-2.5-flare", "GPT Image 2.5 Flare", "Fast.", _MORE_QUALITIES),
    _model("gpt-image-2.5-sunburst", "GPT Image 2.5 Sunburst", "For detail.", _MORE_QUALITIES),
    _model("gpt-image-2", "GPT Image 2", "The steady one.", _QUALITIES),
)
DEFAULT_MODEL = "gpt-image-2.6-flare"

RETIRED: dict[str, str] = {
    "dall-e-2": "gpt-image-2.6-flare",
    "dall-e-3": "gpt-image-2.6-sunburst",
    "gpt-image-1": "gpt-image-2.6-flare",
    "gpt-image-1-mini": "gpt-image-2.6-flare",
    "gpt-image-1.5": "gpt-image-2.6-flare",
    "chatgpt-image-latest": "gpt-image-2.6-flare",
}
