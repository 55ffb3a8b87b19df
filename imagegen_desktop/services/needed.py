"""Networks that a choice needs and the library may lack: where each is fetched from, how large it is, its licence."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..domain.download import Download
from ..paths import resources
from .downloads import ModelDownloads

_MB = 10**6


@dataclass(frozen=True, kw_only=True)
class NeededNetwork:
    """One that can be fetched; `kind` as on a card, `id` is the hub's."""

    kind: str
    id: str
    title: str
    size_bytes: int
    licence: str


def read_table(name: str) -> dict[str, dict[str, Any]]:
    """A table of `resources/models`, its rows by their titles."""
    return tomllib.loads((resources() / "models" / name).read_text(encoding="utf-8"))


def network_of(kind: str, row: dict[str, Any]) -> NeededNetwork:
    size = row["download"] * _MB
    return NeededNetwork(kind=kind, id=row["id"], title=row["title"], size_bytes=size, licence=row["licence"])


def fetch(downloads: ModelDownloads, networks: Iterable[NeededNetwork]) -> list[Download]:
    """Begins to fetch them, or goes on with it; raises a Problem. Takes as long as the hub to answer."""
    offers = [downloads.look(network.id) for network in networks]
    return [downloads.start(offer) for offer in offers]


def said(networks: list[NeededNetwork]) -> str:
    """Their names, how much comes down, and the licences."""
    titles = " and ".join(network.title for network in networks)
    size = sum(network.size_bytes for network in networks) // _MB
    return f"{titles} ({size} MB, {', '.join(dict.fromkeys(network.licence for network in networks))})"
