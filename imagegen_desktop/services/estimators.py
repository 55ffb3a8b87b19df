"""Networks that prepare ControlNets' pictures: those of the library, and where the ones it lacks are fetched from."""

from __future__ import annotations

import functools
from typing import Any

from ..domain.errors import BadInput, ModelProblem
from ..domain.model_card import PICKLE, PREPARED_BY, ModelCard
from ..domain.request import GenerationRequest
from .model_library import ModelLibrary
from .needed import NeededNetwork, network_of, read_table, said


def missing(models: ModelLibrary, preparation: str) -> list[NeededNetwork]:
    """What is to be fetched before that preparation can be made; raises BadInput for one that needs no network."""
    if preparation not in PREPARED_BY:
        raise BadInput("preparation", preparation, "one of " + ", ".join(PREPARED_BY))
    return [offered()[kind] for kind in PREPARED_BY[preparation] if _card(models, kind) is None]


def check(models: ModelLibrary, request: GenerationRequest) -> None:
    """Raises ModelProblem, with the remedy, when one of its preparations cannot be made yet."""
    for preparation in (control.preparation for control in request.controls):
        absent = missing(models, preparation) if preparation in PREPARED_BY else []
        if absent:
            raise ModelProblem(
                f"The preparation {preparation} needs {said(absent)}, not on this computer yet.",
                f"Fetch it once: `imagegen-desktop models preparation {preparation}`, or beside the picture of the "
                "ControlNet; from then on nothing goes online.",
            )


def extras(models: ModelLibrary, request: GenerationRequest) -> list[dict[str, Any]]:
    """Where the networks lie that its preparations need, as the engine is told. Raises ModelProblem."""
    check(models, request)
    kinds = [kind for control in request.controls for kind in PREPARED_BY.get(control.preparation, ())]
    cards = {kind: _card(models, kind) for kind in kinds}
    return [
        {"kind": kind, "name": kind, "path": card.path, "format": card.format} for kind, card in cards.items() if card
    ]


def _card(models: ModelLibrary, kind: str) -> ModelCard | None:
    return next((card for card in models.extras(kind) if card.format != PICKLE and not card.missing), None)


@functools.cache
def offered() -> dict[str, NeededNetwork]:
    """By kind."""
    return {kind: network_of(kind, row) for kind, row in read_table("estimators.toml").items()}
