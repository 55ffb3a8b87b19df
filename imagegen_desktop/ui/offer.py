"""Offer: what the chosen model lets an artist say, wherever it runs."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.cloud_model import CloudModel, Range, SizeRule
from ..domain.families import TEXT
from ..domain.model_card import ModelCard
from ..domain.request import MAX_GUIDANCE, MAX_PIXELS, MAX_SIDE, MAX_STEPS
from ..domain.style import StylePreset
from ..services.compose import defaults

_STEPS = Range(low=1, high=MAX_STEPS, default=30)
_GUIDANCE = Range(low=0, high=MAX_GUIDANCE, default=7.0)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """`missing` names the fields of a request that this model has no use for; `tasks` are what it works from,
    `additions` the kinds of things it can be given. `image_is_reference` as a Family has it."""

    title: str
    sizes: SizeRule
    tasks: tuple[str, ...] = (TEXT,)
    missing: frozenset[str] = frozenset()
    samplers: tuple[str, ...] = ()
    own_sampler: str = ""
    steps: Range = _STEPS
    guidance: Range = _GUIDANCE
    qualities: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    additions: tuple[str, ...] = ()
    image_is_reference: bool = False
    card: ModelCard | None = None

    def defaults(self, style: StylePreset) -> dict[str, int | float]:
        """Width, height, steps and guidance a new picture starts with."""
        if self.card is not None:
            return defaults(self.card, style)
        width, height = self.sizes.default
        return {"width": width, "height": height, "steps": int(self.steps.default), "guidance": self.guidance.default}


def offer_of_card(card: ModelCard) -> Offer:
    """A model on this computer."""
    multiple = card.traits.size_multiple
    return Offer(
        title=card.title or card.name,
        sizes=SizeRule(
            default=(card.width, card.height),
            multiple=multiple,
            least_side=multiple,
            most_side=MAX_SIDE,
            most_pixels=MAX_PIXELS,
            most_ratio=MAX_SIDE,
        ),
        tasks=card.traits.tasks,
        missing=_missing(card),
        samplers=card.traits.samplers,
        own_sampler=card.sampler,
        additions=card.traits.additions,
        image_is_reference=card.traits.image_is_reference,
        card=card,
    )


def _missing(card: ModelCard) -> frozenset[str]:
    negative = () if card.traits.negative_prompt else ("negative_prompt",)
    return frozenset((*negative, *(() if card.traits.weights else ("tiling", "clip_skip"))))


def offer_of_cloud(model: CloudModel) -> Offer:
    """A model behind a provider."""
    possible = {
        "seed": model.seeds,
        "negative_prompt": model.negative_prompt,
        "steps": model.steps,
        "guidance": model.guidance,
        "strength": model.strength,
        "sampler": False,
        "tiling": False,
        "clip_skip": False,
        "variation_strength": False,
    }
    return Offer(
        title=model.title,
        sizes=model.sizes,
        tasks=model.tasks,
        missing=frozenset(name for name, can in possible.items() if not can),
        steps=model.steps or _STEPS,
        guidance=model.guidance or _GUIDANCE,
        qualities=model.qualities,
        backgrounds=model.backgrounds,
    )
