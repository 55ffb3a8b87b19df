"""Image encoders, through which IP-Adapters look at pictures: which one an adapter needs, and where it is fetched."""

from __future__ import annotations

import functools

from ..domain.model_card import IMAGE_ENCODER, IP_ADAPTER, ModelCard
from .needed import NeededNetwork, network_of, read_table


def missing(card: ModelCard) -> list[NeededNetwork]:
    """What is to be fetched before that IP-Adapter can be used; empty also when nobody knows where from."""
    if card.kind != IP_ADAPTER or not card.missing:
        return []
    return [network for features, network in offered() if {*features} & {*card.features}]


def title(features: tuple[str, ...]) -> str:
    """What the encoder is called that tells these."""
    known = next((network.title for theirs, network in offered() if {*theirs} & {*features}), "")
    return known or f"CLIP ({', '.join(features)})"


@functools.cache
def offered() -> tuple[tuple[tuple[str, ...], NeededNetwork], ...]:
    """Each with the features it tells, as cards name them."""
    rows = read_table("image_encoders.toml").values()
    return tuple((tuple(row["features"]), network_of(IMAGE_ENCODER, row)) for row in rows)
