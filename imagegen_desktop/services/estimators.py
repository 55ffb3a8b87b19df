"""Networks that prepare ControlNets' pictures: those of the library, and where the ones it lacks are fetched from."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from typing import Any

from ..domain.download import Download
from ..domain.errors import BadInput, ModelProblem
from ..domain.model_card import PICKLE, PREPARED_BY, ModelCard
from ..domain.request import GenerationRequest
from ..paths import resources
from .downloads import ModelDownloads
from .model_library import ModelLibrary

_MB = 10**6


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """One that can be fetched; `id` is the hub's."""

    kind: str
    id: str
    title: str
    size_bytes: int
    licence: str


def missing(models: ModelLibrary, preparation: str) -> list[Estimator]:
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


def fetch(models: ModelLibrary, downloads: ModelDownloads, preparation: str) -> list[Download]:
    """Begins to fetch what is missing, or goes on with it; raises a Problem. Takes as long as the hub to answer."""
    offers = [downloads.look(estimator.id) for estimator in missing(models, preparation)]
    return [downloads.start(offer) for offer in offers]


def said(estimators: list[Estimator]) -> str:
    """Their names, how much comes down, and the licences."""
    titles = " and ".join(estimator.title for estimator in estimators)
    size = sum(estimator.size_bytes for estimator in estimators) // _MB
    return f"{titles} ({size} MB, {', '.join(dict.fromkeys(estimator.licence for estimator in estimators))})"


def _card(models: ModelLibrary, kind: str) -> ModelCard | None:
    return next((card for card in models.extras(kind) if card.format != PICKLE and not card.missing), None)


@functools.cache
def offered() -> dict[str, Estimator]:
    """By kind."""
    found = tomllib.loads((resources() / "models" / "estimators.toml").read_text(encoding="utf-8"))
    return {
        kind: Estimator(
            kind=kind,
            id=row["id"],
            title=row["title"],
            size_bytes=row["download"] * _MB,
            licence=row["licence"],
        )
        for kind, row in found.items()
    }
